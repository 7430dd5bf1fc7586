"""The sha256 of a file."""

import hashlib
import io
from pathlib import Path
from typing import Protocol

from msdm_cli.small_files import check_regular

BLOCK_BYTES = 1 << 20


class ReadableFile(Protocol):
    """A file of bytes, as far as sound is read from it."""

    def read(self, count: int = -1, /) -> bytes:
        """The next bytes."""
        ...

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to another place."""
        ...

    def tell(self) -> int:
        """The place."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def digest_file(path: Path) -> str:
    """The sha256 of a file, in hexadecimal.

    Raises:
        OSError: It cannot be read, or is a pipe or a device.
    """
    check_regular(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


class DigestedFile:
    """A file that takes its sha256 of the bytes that somebody reads of it anyway.

    Who decodes a sound goes forward, with a jump now and then. A short jump is read here; what lies
    beyond a long one is read once more for the digest.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._digest = hashlib.sha256()
        self._digested = 0

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        start = self._file.tell()
        if self._digested < start <= self._digested + BLOCK_BYTES:
            self._file.seek(self._digested)
            self._take(self._file.read(start - self._digested))
        content = self._file.read(count)
        new = start + len(content) - self._digested
        if start <= self._digested and new > 0:
            self._take(content[-new:])
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def finish(self) -> str:
        """Read what nobody has read; the sha256 of the whole file, in hexadecimal."""
        self._file.seek(self._digested)
        while block := self._file.read(BLOCK_BYTES):
            self._take(block)
        return self._digest.hexdigest()

    def _take(self, content: bytes) -> None:
        self._digest.update(content)
        self._digested += len(content)
