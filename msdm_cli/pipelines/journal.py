"""Finished chunks of a piece of work, kept on the disk until all of it is done.

Everything but the network is cheap and deterministic. So a journal holds what the network gave, chunk by chunk, and an
interrupted job is done again from the beginning with every finished chunk read instead of drawn: the result is the
same to the last bit, whatever moment it was interrupted at.

An interruption (Ctrl-C, a kill, a power cut) leaves the journal behind. The end of the work takes it away, and so does
an error, which would come again.
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

from msdm_cli.errors import MsdmError, UnwritableAudio
from msdm_cli.pipelines.job import Job, find_difference

JOB, LOCK = "job.json", "lock"

log = logging.getLogger(__name__)

Array = NDArray[np.float32]


class Journal:
    """The journal of a job. One process at a time holds it.

    Args:
        folder: Where it lies.
        job: What it is of; chunks of another job are thrown away.

    Raises:
        UnwritableAudio: The folder cannot be written, or another process holds it.
    """

    def __init__(self, folder: Path, job: Job) -> None:
        self.folder, self.job = folder, job
        self.resumed = False
        self._lock = FileLock(folder / LOCK)
        self._last: tuple[int, Array] | None = None

    def __enter__(self) -> "Journal":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UnwritableAudio(
                f"{self.folder.parent}: another msdm is at work on the same files", "Wait for it, or choose another -o."
            ) from error
        except OSError as error:
            raise self._failed(error) from error
        self._open()
        return self

    def _open(self) -> None:
        found, described = load_job(self.folder), self.job.describe()
        if found is not None:
            difference = find_difference(found, described)
            done = sum(1 for _ in self.folder.glob("*.npy"))
            self.resumed = difference is None
            if self.resumed:
                log.info("%s: goes on, %d chunks are done", self.folder.parent, done)
            else:
                log.info("%s: starts afresh, %s is not what it was", self.folder.parent, difference)
        if not self.resumed:
            for path in self.folder.glob("*.npy"):
                path.unlink()
            self._replace(JOB, json.dumps(described, indent=2).encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
        if kind is None or issubclass(kind, MsdmError):
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # nothing else is in it
                self.folder.parent.rmdir()

    def recall(self, index: int, draw: Callable[[], Array], skip: Callable[[], None], *, keep: bool) -> Array:
        """A chunk as it was drawn before, or drawn now.

        Args:
            index: Number of the chunk.
            draw: Draws it.
            skip: Called instead of ``draw``.
            keep: Whether it goes to the disk; the last one is always held in memory.

        Raises:
            UnwritableAudio: The disk is full.
        """
        found = self._last[1] if self._last and self._last[0] == index else self._load(index)
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
        temporary = self.folder / "chunk.part"
        try:
            with temporary.open("wb") as file:
                np.save(file, chunk)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.folder / f"{index}.npy")
        except OSError as error:
            raise self._failed(error) from error

    def _replace(self, name: str, content: bytes) -> None:
        temporary = self.folder / f"{name}.part"
        try:
            temporary.write_bytes(content)
            temporary.replace(self.folder / name)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> UnwritableAudio:
        return UnwritableAudio(
            f"{self.folder.parent}: cannot be written ({error})", "Make room on the disk, or choose another -o."
        )


def load_job(folder: Path) -> dict[str, Any] | None:
    """The description of the job that a journal is of; None if there is no journal."""
    try:
        found = json.loads((folder / JOB).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
