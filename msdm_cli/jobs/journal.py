"""Finished chunks of a job, kept on the disk until all of it is done.

Everything but the network is cheap and gives the same again. So a journal holds what was drawn,
chunk by chunk. An unfinished job runs again from its beginning, with every finished chunk read
instead of drawn: the result is the same to the last bit, wherever it stopped. The journal goes when
the job ends. It also goes after an error that would come again; it stays after a full disk or a
busy device.
"""

import contextlib
import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from msdm_cli.errors import (
    JobRunning,
    SamplingError,
    UnreadableAudio,
    UnsuitableAudio,
    UnwritableResults,
)
from msdm_cli.jobs.chunk_files import decode_chunk, encode_chunk
from msdm_cli.jobs.identity import find_difference
from msdm_cli.jobs.journal_folder import (
    CHUNK,
    IDENTITY,
    LOCK,
    NAMED,
    check_own,
    is_named,
    list_chunks,
    remove_journal,
)
from msdm_cli.small_files import read_small
from msdm_cli.temporary import write_whole

PERMANENT = (UnreadableAudio, UnsuitableAudio, SamplingError)
"""Errors that would come again: the input is damaged or changes, or the network fails."""

MOST_CHUNK_BYTES = 1 << 31
"""A larger chunk was not written by a journal."""

log = logging.getLogger(__name__)

Array = NDArray[np.float32]


class Journal:
    """The journal of a job. One process at a time holds it, and what its results are written to.

    It is the ``ChunkStore`` of a task. As a context manager it removes itself unless there are
    chunks to go on from. Nothing in it changes before ``begin``. Several threads may load and save.

    Args:
        folder: Where it lies.
        identity: Of the job.

    Attributes:
        resumed: Whether there was one of this very job.
        on_disk: Whether chunks go to the disk. Then the last one is held in memory too; otherwise
            all are, which is for jobs of few.

    Raises:
        JobRunning: Another process holds it.
        UnwritableResults: The folder cannot be written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self.resumed = False
        self.on_disk = True
        self._identity = identity
        self._lock = FileLock(folder / LOCK)
        self._done = False
        self._made_parent = False
        self._own_chunks = False  # until begin, they may be those of another job
        self._held: dict[int, Array] = {}
        self._found: dict[str, Any] | None = None

    def __enter__(self) -> "Journal":
        check_own(self.folder)
        try:
            self._made_parent = not self.folder.parent.exists()
            while True:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock.acquire(timeout=0)
                if (self.folder / LOCK).exists():
                    break
                self._lock.release()  # another process has just removed the folder
        except Timeout as error:
            raise JobRunning(
                f"{self.folder.parent}: another msdm is writing the same files",
                "Wait for it, or choose another folder.",
            ) from error
        except OSError as error:
            raise self._failed(error) from error
        self._found = load_identity(self.folder)
        same = self._found is not None and find_difference(self._found, self._identity) is None
        self.resumed = self._own_chunks = same
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        kept = self._count()
        if self._done or not kept or isinstance(error, PERMANENT):
            remove_journal(self.folder, self._lock)
            if self._made_parent:
                with contextlib.suppress(OSError):  # there are results in it
                    self.folder.parent.rmdir()
            return
        self._lock.release()
        if isinstance(error, Exception) and self._own_chunks:
            log.info(
                "%s: %d finished %s kept; the same command continues",
                self.folder.parent,
                kept,
                "chunk is" if kept == 1 else "chunks are",
            )

    def begin(self) -> None:
        """Take over the folder: chunks of another job are removed.

        Raises:
            UnwritableResults: The disk is full.
        """
        if self.resumed:
            log.info("%s: continues; chunks that are done: %d", self.folder.parent, self._count())
            return
        if self._found is not None:
            difference = str(find_difference(self._found, self._identity)).removeprefix("options.")
            log.info("%s: starts again, since %s has changed", self.folder.parent, difference)
        try:
            for path in list_chunks(self.folder):
                path.unlink()
            self._own_chunks = True
            (self.folder / NAMED).unlink(missing_ok=True)
            write_whole(self.folder / IDENTITY, json.dumps(self._identity, indent=2).encode())
        except OSError as error:
            raise self._failed(error) from error

    def note_names(self, digests: Mapping[str, str]) -> None:
        """Results are about to get their names: if that is interrupted, these may be replaced.

        Args:
            digests: Digest of each result, by its name.

        Raises:
            UnwritableResults: The disk is full.
        """
        try:
            write_whole(self.folder / NAMED, json.dumps(dict(digests)).encode())
        except OSError as error:
            raise self._failed(error) from error

    def has_named(self, name: str, path: Path) -> bool:
        """Whether a file is the result that this very job gave its name before it was stopped."""
        return self.resumed and is_named(self.folder, name, path)

    def end(self) -> None:
        """The results have their names: the journal is not needed any more."""
        self._done = True

    def load(self, index: int) -> Array | None:
        """What was drawn of a chunk; None if nothing was, or if it has changed since."""
        held = self._held.get(index)
        if held is not None:
            return held
        try:
            path = self._place(index)
            stored = path.read_bytes() if path.stat().st_size <= MOST_CHUNK_BYTES else b""
        except OSError:
            return None
        found = decode_chunk(stored, self._own(index))
        if found is None:
            log.info("%s: chunk %d is damaged and is drawn again", self.folder.parent, index)
            return None
        self._hold(index, found)
        return found

    def save(self, index: int, chunk: Array) -> None:
        """Keep what was drawn of a chunk.

        Raises:
            UnwritableResults: The disk is full.
        """
        self._hold(index, chunk)
        if not self.on_disk:
            return
        try:
            write_whole(self._place(index), *encode_chunk(chunk, self._own(index)))
        except OSError as error:
            raise self._failed(error) from error

    def _hold(self, index: int, chunk: Array) -> None:
        # Replaced and not emptied: another thread may be reading it.
        self._held = {index: chunk} if self.on_disk else {**self._held, index: chunk}

    def _place(self, index: int) -> Path:
        return self.folder / f"{index}{CHUNK}"

    def _own(self, index: int) -> bytes:
        """What a chunk belongs to: its number in this very job."""
        text = f"{index} {json.dumps(self._identity, sort_keys=True)}"
        return hashlib.sha256(text.encode()).digest()

    def _count(self) -> int:
        return len(list_chunks(self.folder))

    def _failed(self, error: OSError) -> UnwritableResults:
        return UnwritableResults(
            f"{self.folder.parent}: cannot be written ({error})",
            "Make room on the disk, or choose another folder.",
        )


def load_identity(folder: Path) -> dict[str, Any] | None:
    """The identity of the job that a journal is of; None if there is no journal."""
    try:
        found = json.loads(read_small(folder / IDENTITY))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("options"), dict) else None


def discard_journal(folder: Path, identity: Mapping[str, Any]) -> None:
    """Remove the journal of a job whose results are there.

    It stays if it is of another job, or if another process holds it. What a removal that was killed
    has left goes too.
    """
    try:
        check_own(folder)
    except UnwritableResults:
        return
    if not folder.is_dir():
        return
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return
    found = load_identity(folder)
    same = found is not None and find_difference(found, identity) is None
    if same or {path.name for path in folder.iterdir()} <= {LOCK}:
        remove_journal(folder, lock)
    else:
        lock.release()
