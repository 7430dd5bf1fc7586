"""One heap for all threads, where the C library would give each its own."""

import ctypes
import sys

M_ARENA_MAX = -8
"""Number of heaps in glibc's ``mallopt``."""


def keep_one_heap() -> None:
    """Make the threads of this process share a heap; nothing where the C library is not glibc.

    Reading, the network and writing free what another thread has allocated, in blocks of megabytes. In heaps of their
    own these leave holes: memory grows by a sixth over a long song (``scripts/bench/endurance.py``). One heap is as
    fast, since blocks are few.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 1)
