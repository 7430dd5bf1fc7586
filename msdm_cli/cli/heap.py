"""One heap for all threads, where the C library would give each its own."""

import ctypes
import sys

M_ARENA_MAX = -8
"""Number of heaps in glibc's ``mallopt``."""


def keep_one_heap() -> None:
    """Make the threads of this process share a heap. It does nothing without glibc.

    The threads that read, run the network and write free blocks of megabytes that another thread
    has allocated. In a heap for each thread this leaves holes: memory grows by a sixth over a long
    song (``scripts/bench/endurance.py``). One heap is as fast, since the blocks are few.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 1)
