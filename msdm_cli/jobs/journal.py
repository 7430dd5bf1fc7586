"""Finished chunks of a piece of work, kept on the disk until all of it is done.

Everything but the network is cheap and deterministic. So a journal holds what the network gave, chunk by chunk, and
unfinished work is done again from the beginning with every finished chunk read instead of drawn: the result is the
same to the last bit, whatever moment it stopped at. The end of the work takes the journal away, and so do errors that
no going on would mend; a full disk or a busy device do not.
"""

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from msdm_cli.errors import SamplingError, UnreadableAudio, UnsuitableAudio, UnwritableAudio
from msdm_cli.jobs.request import Job, find_difference

JOB, LOCK = "job.json", "lock"

HOPELESS = (UnreadableAudio, UnsuitableAudio, SamplingError)
"""Errors that would come again, or make chunks worthless: the input is damaged or changes, the network fails."""

log = logging.getLogger(__name__)

Array = NDArray[np.float32]


class Journal:
    """The journal of a job. One process at a time holds it, and what its results are written to.

    As a context manager it takes itself away unless there are chunks to go on from. Nothing in it changes before
    ``begin``. Chunks may be recalled by several threads.

    Args:
        folder: Where it lies.
        job: What it is of.

    Attributes:
        resumed: Whether there was one of this very job.

    Raises:
        UnwritableAudio: The folder cannot be written, or another process holds it.
    """

    def __init__(self, folder: Path, job: Job) -> None:
        self.folder, self.job = folder, job
        self.resumed = False
        self._described = job.describe()
        self._lock = FileLock(folder / LOCK)
        self._done = self._made_parent = False
        self._last: tuple[int, Array] | None = None

    def __enter__(self) -> "Journal":
        try:
            self._made_parent = not self.folder.parent.exists()
            while True:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock.acquire(timeout=0)
                if (self.folder / LOCK).exists():
                    break
                self._lock.release()  # who held it has just taken the folder away
        except Timeout as error:
            raise UnwritableAudio(
                f"{self.folder.parent}: another msdm is at work on the same files",
                "Wait for it, or choose another -o.",
            ) from error
        except OSError as error:
            raise self._failed(error) from error
        self._found = load_job(self.folder)
        self.resumed = (
            self._found is not None and find_difference(self._found, self._described) is None
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        kept = sum(1 for _ in self.folder.glob("*.npy"))
        if self._done or not kept or isinstance(error, HOPELESS):
            remove_held(self.folder, self._lock)
            if self._made_parent:
                with contextlib.suppress(OSError):  # there are results in it
                    self.folder.parent.rmdir()
        else:
            self._lock.release()
            if isinstance(error, Exception):
                log.info(
                    "%s: %d finished chunks are kept; the same command goes on",
                    self.folder.parent,
                    kept,
                )

    def begin(self) -> None:
        """Take over the folder: chunks of another job are thrown away.

        Raises:
            UnwritableAudio: The disk is full.
        """
        if self.resumed:
            done = sum(1 for _ in self.folder.glob("*.npy"))
            log.info("%s: goes on, %d chunks are done", self.folder.parent, done)
            return
        if self._found is not None:
            difference = find_difference(self._found, self._described)
            log.info("%s: starts afresh, %s is not what it was", self.folder.parent, difference)
        try:
            for path in self.folder.glob("*.npy"):
                path.unlink()
            self._write(JOB, json.dumps(self._described, indent=2).encode())
        except OSError as error:
            raise self._failed(error) from error

    def end(self) -> None:
        """The results are where they belong: the journal is not needed any more."""
        self._done = True

    def recall(
        self, index: int, draw: Callable[[], Array], skip: Callable[[], None], *, keep: bool
    ) -> Array:
        """A chunk as it was drawn before, or drawn now.

        Args:
            index: Number of the chunk.
            draw: Draws it.
            skip: Called instead of ``draw``.
            keep: Whether it goes to the disk; the last one is always held in memory.

        Raises:
            UnwritableAudio: The disk is full.
        """
        last = self._last
        found = last[1] if last and last[0] == index else self._load(index)
        if found is not None:
            skip()
        else:
            found = draw()
            if keep:
                self._save(index, found)
        self._last = (index, found)
        return found

    def _load(self, index: int) -> Array | None:
        try:
            found: Array = np.load(self.folder / f"{index}.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return found

    def _save(self, index: int, chunk: Array) -> None:
        try:
            self._write(f"{index}.npy", chunk)
        except OSError as error:
            raise self._failed(error) from error

    def _write(self, name: str, content: bytes | Array) -> None:
        """Write a file so that it is whole under its name, whatever happens."""
        temporary = self.folder / f"{name}.part"
        with temporary.open("wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                np.save(file, np.ascontiguousarray(content))  # ten times faster than a view
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / name)

    def _failed(self, error: OSError) -> UnwritableAudio:
        return UnwritableAudio(
            f"{self.folder.parent}: cannot be written ({error})",
            "Make room on the disk, or choose another -o.",
        )


def load_job(folder: Path) -> dict[str, Any] | None:
    """The description of the job that a journal is of; None if there is no journal."""
    try:
        found = json.loads((folder / JOB).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def discard_journal(folder: Path, job: Job) -> None:
    """Take away the journal of a job whose results are there; never one that is of another job, or held."""
    if not folder.is_dir():
        return
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return
    found = load_job(folder)
    if found is not None and find_difference(found, job.describe()) is None:
        remove_held(folder, lock)
    else:
        lock.release()


def remove_held(folder: Path, lock: FileLock) -> None:
    """Remove a folder before the lock inside it is released."""
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)  # Windows removes no open file
