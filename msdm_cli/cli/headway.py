"""How far a batch on other machines is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msdm_cli.cli.times import HOUR
from msdm_cli.errors import FAILURES

if TYPE_CHECKING:
    from msdm_cli.jobs.executors import Ended


@dataclass
class Headway:
    """How far a batch is, and how fast.

    Args:
        total: Number of jobs.
        kind: What a job is called.
        clock: Seconds that pass.
    """

    total: int
    kind: str
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.began = self.clock()
        self.done = 0
        self.workers = 0
        self._music_seconds = 0.0
        self._made_seconds = 0.0

    def add(self, ended: "Ended") -> None:
        """A job has ended."""
        self.done += 1
        self.workers = ended.workers or self.workers
        if isinstance(ended.result, FAILURES):
            return
        seconds = ended.result.properties.seconds
        self._music_seconds += seconds
        # What was there says nothing of the speed.
        self._made_seconds += 0.0 if ended.result.skipped else seconds

    @property
    def speed(self) -> float:
        """Seconds of music that were made in a second, by all workers together."""
        return self._made_seconds / max(self.clock() - self.began, 1e-9)

    def describe(self) -> str:
        """For a person: music, speed, workers."""
        workers = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        return f"{self._music_seconds / HOUR:.1f} h of music, {self.speed:.1f}x, {workers}"

    def to_json(self) -> dict[str, object]:
        """The same for a program."""
        return {
            "done": self.done,
            "total": self.total,
            "unit": f"{self.kind}s",
            "music_seconds": round(self._music_seconds, 3),
            "speed": round(self.speed, 3),
            "workers": self.workers,
        }
