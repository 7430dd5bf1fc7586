"""Files that are written under a temporary name, and get their own when they are whole.

A temporary file is new, is opened without following links, and has a name that nobody can foresee:
a link or a pipe that was put in its place cannot catch what is written.
"""

import contextlib
import os
import re
import secrets
from pathlib import Path

RANDOM_BYTES = 8
SUFFIX = ".part"
FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
PERMISSIONS = 0o666
"""Before the umask, as for any new file."""


def create_temporary(path: Path) -> tuple[int, Path]:
    """A new file beside another one.

    Args:
        path: Where the file will lie when it is whole.

    Returns:
        Its descriptor, open for reading and writing, and its temporary path.

    Raises:
        OSError: It cannot be created.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(RANDOM_BYTES)}{SUFFIX}")
    return os.open(temporary, FLAGS, PERMISSIONS), temporary


def write_whole(path: Path, *parts: bytes | memoryview) -> None:
    """Write a file that is there as a whole or not at all, whatever happens.

    Raises:
        OSError: It cannot be written. Nothing is left behind.
    """
    descriptor, temporary = create_temporary(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def remove_stale(path: Path) -> None:
    """Remove the temporary files of a path that killed processes left behind.

    Only a process that writes ``path`` alone may do so.
    """
    pattern = re.compile(
        re.escape(f".{path.name}.") + rf"[0-9a-f]{{{2 * RANDOM_BYTES}}}" + re.escape(SUFFIX)
    )
    with contextlib.suppress(OSError):
        for entry in os.scandir(path.parent):
            if pattern.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()  # a link goes, not what it points to
