"""How far several jobs are, and how long they will still take."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class _Entry:
    """One job: parts of 1."""

    size: float
    units: int = 0
    total: int = 0
    done: float = 0.0
    made: float = 0.0
    running: bool = False
    ended: bool = False


class Tally:
    """Counts the units of jobs. Jobs in several threads may count at once.

    A unit that was done by an earlier run is progress, but says nothing of speed. So the time that
    is left comes from the units that were made now.

    Args:
        sizes: About how much work each job is, by name, in any unit.
    """

    def __init__(self, sizes: Mapping[str, float]) -> None:
        self._entries = {name: _Entry(size) for name, size in sizes.items()}
        self._lock = threading.Lock()
        self._began: float | None = None

    def begin(self, name: str, total: int, now: float) -> None:
        """A job begins its units; or it begins them again, to write its results once more."""
        with self._lock:
            if self._began is None:
                self._began = now
            entry = self._entries[name]
            entry.units = 0
            entry.total = total
            entry.running = True

    def add(self, name: str, units: int, *, skipped: bool) -> None:
        """Some units of a job are done, now or (``skipped``) by an earlier run."""
        with self._lock:
            entry = self._entries[name]
            entry.units += units
            total = max(entry.total, 1)
            entry.done = max(entry.done, min(1.0, entry.units / total))
            if not skipped:
                entry.made = min(1.0, entry.made + units / total)

    def end(self, name: str) -> None:
        """A job has ended, well or not."""
        with self._lock:
            entry = self._entries[name]
            entry.done = 1.0
            entry.running = False
            entry.ended = True

    @property
    def count(self) -> int:
        """Number of jobs."""
        return len(self._entries)

    @property
    def ended(self) -> int:
        """Number of jobs that have ended."""
        return sum(entry.ended for entry in self._entries.values())

    @property
    def running(self) -> list[str]:
        """Names of the jobs that have begun and not ended."""
        return [name for name, entry in self._entries.items() if entry.running]

    @property
    def units(self) -> tuple[int, int]:
        """Units that are done, and all units, of the running jobs."""
        running = [entry for entry in self._entries.values() if entry.running]
        return sum(entry.units for entry in running), sum(entry.total for entry in running)

    @property
    def share(self) -> float:
        """Share of all work that is done, 0 to 1."""
        return self._weigh("done") / max(self._weigh("all"), 1e-9)

    def seconds_left(self, now: float) -> float | None:
        """How long it will still take; None as long as nothing was made."""
        made = self._weigh("made")
        if self._began is None or made <= 0:
            return None
        return (self._weigh("all") - self._weigh("done")) * (now - self._began) / made

    def _weigh(self, what: str) -> float:
        """Work that is done or made, or all of it, in the unit of the sizes."""
        with self._lock:
            entries = self._entries.values()
            return sum(entry.size * getattr(entry, what, 1.0) for entry in entries)
