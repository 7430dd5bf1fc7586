"""The part of a file that was fetched so far, and what the server has said of the file."""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec

from msdm_cli.small_files import read_small
from msdm_cli.temporary import write_whole

PART = ".part"
VERSION = ".version.json"


@dataclass(frozen=True)
class Version:
    """What a server says of a file. If any of it changes, the file is another one.

    Attributes:
        url: Address that was asked for, before redirects.
        length: Size in bytes; None if the server does not say.
        etag: Its ETag.
        last_modified: When it was last changed.
        digest: A checksum, as Google states it.
    """

    url: str
    length: int | None
    etag: str = ""
    last_modified: str = ""
    digest: str = ""

    @property
    def validator(self) -> str:
        """What a server compares before it sends a part: a strong ETag, or a date."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    @property
    def tells(self) -> bool:
        """Whether another file would be told from this one."""
        return bool(self.validator or self.digest)


class PartFile:
    """A file that is being fetched to ``path``. Only one process at a time may have it open.

    Args:
        path: Where the file will lie when it is complete.
        url: Its address.

    Attributes:
        path: Where the file will lie.
        part: Where it lies until then.
        url: Its address.
        version: What the server has said of it; None if there is nothing to go on from.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.part = path.with_name(path.name + PART)
        self.url = url
        self.version = _load_version(path, url)
        flags = os.O_RDWR | os.O_CREAT  # and never what a link points to
        for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
            flags |= getattr(os, name, 0)
        descriptor = os.open(self.part, flags, 0o666)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._file.close()
            raise OSError(None, "is no regular file", str(self.part))
        self.size = self._file.seek(0, os.SEEK_END)

    def __enter__(self) -> "PartFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def can_continue(self) -> bool:
        """Whether a server could send the rest, and would say if it is not of the same file."""
        known = self.version
        return bool(known and known.tells and known.length and 0 < self.size < known.length)

    def begin(self, version: Version) -> None:
        """Forget what was fetched, and note what the server says of the file now."""
        with self._named():
            self.version = None
            self.size = 0
            _locate_version(self.path).unlink(missing_ok=True)
            self._file.seek(0)
            self._file.truncate()
            write_whole(_locate_version(self.path), msgspec.json.encode(version))
            self.version = version

    def append(self, block: bytes) -> None:
        """Add what has come."""
        view = memoryview(block)
        with self._named():
            while view:
                view = view[self._file.write(view) :]
        self.size += len(block)

    def complete(self) -> None:
        """Give the file its name. What the server has said of it stays beside it."""
        with self._named():
            os.fsync(self._file.fileno())
            self._file.close()
            self.part.replace(self.path)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say which file an error of the disk is about."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.part)) from error


def was_fetched(path: Path) -> bool:
    """Whether a complete file was fetched, rather than put there by somebody."""
    return _locate_version(path).exists()


def discard(path: Path) -> None:
    """Remove a complete file, and what is known of it."""
    path.unlink(missing_ok=True)
    _locate_version(path).unlink(missing_ok=True)


def _locate_version(path: Path) -> Path:
    return path.with_name(path.name + VERSION)


def _load_version(path: Path, url: str) -> Version | None:
    """What is known of a file; None if it is not of this address."""
    try:
        known = msgspec.json.decode(read_small(_locate_version(path)), type=Version)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None
    return known if known.url == url else None
