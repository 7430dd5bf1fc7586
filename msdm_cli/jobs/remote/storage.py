"""Files at addresses, by fsspec: read, and written whole or not at all.

fsspec knows S3, SSH, HTTP, Google's and Azure's storage, and others; most need another package.
"""

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from msdm_cli.errors import (
    MissingPackage,
    MsdmError,
    ResultsError,
    UnreadableAudio,
    UnwritableAddress,
)
from msdm_cli.jobs.remote.addresses import to_address
from msdm_cli.temporary import RANDOM_BYTES, SUFFIX

SECRETS = {
    "password": re.compile(r"://[^/@]*:[^/@]*@"),
    # Such as the signature of a link that is shared. Other storages may have a name with a ?.
    "query": re.compile(r"https?://[^?]*\?", re.IGNORECASE),
}
"""Parts of an address that may be secret."""

LONGEST_REASON = 300
FLAT = frozenset({"s3", "gs", "abfs", "oss"})
"""Storages without folders. To make one would make a bucket, if a person has misspelt its name."""

TEMPORARY = re.compile(rf"\.(.+)\.[0-9a-f]{{{2 * RANDOM_BYTES}}}{re.escape(SUFFIX)}", re.DOTALL)
"""Temporary name of a file: its own is the first group."""

LACKING = re.compile(r'(?:install (?:the )?|requires ")([a-z][\w-]*)', re.IGNORECASE)
"""How fsspec asks for a package, which is the first group."""

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
RIGHTS = "You have no rights to it: see the settings of your account for this storage."


@contextlib.contextmanager
def connect(path: Path, error: type[MsdmError], doing: str) -> Iterator[tuple[Any, str]]:
    """The storage of an address, and its path there. What fails is said with the address.

    Args:
        path: The address.
        error: Class of what is raised.
        doing: What cannot be done: ``read``.

    Raises:
        MissingPackage: fsspec needs another package for it.
    """
    address = to_address(path)
    for part, secret in SECRETS.items():
        if secret.search(address):
            raise error(
                f"an address has a {part}, which would be written to msdm.json",
                "Use the settings of the storage, or download the file first.",
            )
    try:
        from fsspec.core import url_to_fs

        yield url_to_fs(address)
    except MsdmError:
        raise
    except ImportError as missing:
        raise MissingPackage(
            f"{address}: cannot be {doing} ({missing})", _name_package(str(missing))
        ) from missing
    except Exception as failed:  # each storage has a library with errors of its own
        message = f"{address}: cannot be {doing} ({_explain(failed)})"
        raise error(message, _advise(failed)) from failed


def _name_package(text: str) -> str:
    """What to do where fsspec has said which package it lacks."""
    found = LACKING.search(text)
    return "Install that package." if found is None else f"Run pip install {found[1]}."


def _explain(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.errno is None:  # its text is the path
        return "there is none"
    text = getattr(error, "strerror", None) or str(error)
    return (" ".join(text.split()) or type(error).__name__)[:LONGEST_REASON]


def _advise(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "Check the address."
    if getattr(error, "errno", None) in FULL:
        return "Make room on the disk."
    if isinstance(error, PermissionError) or "credential" in str(error).lower():
        return RIGHTS
    return "Check the address, the connection and your rights."


def fetch(path: Path, target: Path) -> None:
    """Copy what lies at an address to a file.

    Raises:
        UnreadableAudio: It cannot be read.
    """
    with connect(path, UnreadableAudio, "read") as (storage, place):
        if storage.isdir(place):
            raise IsADirectoryError("it is a folder")
        storage.get_file(place, os.fspath(target))


def find_parent(name: str) -> str:
    """The folder of a path in a storage."""
    return name.rpartition("/")[0]


def _makefind_parent(storage: Any, place: str) -> None:
    """Make the folder of a file, where the storage has folders."""
    names = storage.protocol
    if FLAT.isdisjoint([names] if isinstance(names, str) else names):
        storage.makedirs(find_parent(place), exist_ok=True)


def _name_temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(RANDOM_BYTES)}{SUFFIX}")


class Folder:
    """A folder at an address, which receives results.

    Args:
        path: Its address.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find_size(self, path: Path) -> int | None:
        """Size of a file; None if there is none.

        Raises:
            ResultsError: The storage does not answer, or refuses.
        """
        with connect(path, ResultsError, "looked at") as (storage, place):
            try:
                return int(storage.info(place)["size"])
            except FileNotFoundError:
                return None

    def read(self, path: Path) -> bytes:
        """What is in a small file.

        Raises:
            ResultsError: It cannot be read.
        """
        with connect(path, ResultsError, "read") as (storage, place):
            content: bytes = storage.cat_file(place)
            return content

    def write(self, path: Path, content: bytes) -> None:
        """Write a small file.

        Raises:
            UnwritableAddress: It cannot be written.
        """
        with connect(path, UnwritableAddress, "written") as (storage, place):
            _makefind_parent(storage, place)
            storage.pipe_file(place, content)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there.

        Raises:
            UnwritableAddress: It cannot be removed.
        """
        with (
            connect(path, UnwritableAddress, "removed") as (storage, place),
            contextlib.suppress(FileNotFoundError),
        ):
            storage.rm_file(place)

    def check_writable(self, path: Path) -> None:
        """Write a file beside an address and remove it: better now than after hours.

        Raises:
            UnwritableAddress: It cannot be written there.
        """
        temporary = _name_temporary(path)
        self.write(temporary, b"")
        self.remove(temporary)

    def upload(self, file: Path, path: Path) -> Path:
        """Copy a file to a temporary name beside an address; that name.

        Raises:
            UnwritableAddress: It cannot be written. Nothing is left behind.
        """
        temporary = _name_temporary(path)
        try:
            with connect(path, UnwritableAddress, "written") as (storage, place):
                _makefind_parent(storage, place)
                storage.put_file(os.fspath(file), find_parent(place) + "/" + temporary.name)
        except BaseException:
            with contextlib.suppress(UnwritableAddress, MissingPackage):
                self.remove(temporary)
            raise
        return temporary

    def move(self, temporary: Path, path: Path) -> None:
        """Give an uploaded file its name, in the place of what has it.

        Raises:
            UnwritableAddress: It cannot be moved.
        """
        from fsspec import AbstractFileSystem

        with connect(path, UnwritableAddress, "written") as (storage, place):
            source = find_parent(place) + "/" + temporary.name
            if type(storage).mv is not AbstractFileSystem.mv:
                storage.mv(source, place)
                return
            # The mv that storages inherit takes names for patterns: song [live].wav.
            storage.cp_file(source, place)
            storage.rm_file(source)

    def remove_stale(self, paths: Iterable[Path]) -> None:
        """Remove the temporary files of addresses that killed processes left behind.

        Raises:
            UnwritableAddress: The storage does not answer, or refuses.
        """
        names: dict[Path, set[str]] = {}
        for path in paths:
            names.setdefault(path.parent, set()).add(path.name)
        for parent, known in names.items():
            with (
                connect(parent, UnwritableAddress, "written") as (storage, place),
                contextlib.suppress(FileNotFoundError),
            ):
                for name in storage.ls(place, detail=False):
                    found = TEMPORARY.fullmatch(name.rstrip("/").rpartition("/")[2])
                    if found and found[1] in known:
                        storage.rm_file(name)
