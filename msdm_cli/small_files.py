"""Reading a file that nobody vouches for, at a bounded cost."""

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 1 << 22
"""No manifest, spec or registry comes near to 4 MB."""


def check_regular(path: Path) -> None:
    """Refuse a pipe, a device or a folder: it may have no end, and opening it may wait for ever.

    Raises:
        OSError: It is one, or is not there.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is no regular file", str(path))


def read_small(path: Path) -> bytes:
    """The content of a file.

    Raises:
        OSError: It cannot be read, is a pipe or a device, or has more than ``MOST_BYTES``.
    """
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"is larger than {MOST_BYTES >> 20} MB", str(path))
    return content
