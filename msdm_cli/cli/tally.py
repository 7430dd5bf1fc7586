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
        # Sums, since a batch may have 100 000 jobs, and each of them asks.
        self._running: dict[str, _Entry] = {}
        self._ended = 0
        self._all = sum(sizes.values())
        self._done = 0.0
        self._made = 0.0

    def begin(self, name: str, total: int, now: float) -> None:
        """A job begins its units; or it begins them again, to write its results once more."""
        with self._lock:
            if self._began is None:
                self._began = now
            entry = self._entries[name]
            entry.units = 0
            entry.total = total
            self._running[name] = entry

    def add(self, name: str, units: int, *, skipped: bool) -> None:
        """Some units of a job are done, now or (``skipped``) by an earlier run."""
        with self._lock:
            entry = self._entries[name]
            entry.units += units
            total = max(entry.total, 1)
            self._set_done(entry, max(entry.done, min(1.0, entry.units / total)))
            if not skipped:
                made = min(1.0, entry.made + units / total)
                self._made += entry.size * (made - entry.made)
                entry.made = made

    def end(self, name: str) -> None:
        """A job has ended, well or not."""
        with self._lock:
            entry = self._entries[name]
            self._set_done(entry, 1.0)
            self._running.pop(name, None)
            self._ended += not entry.ended
            entry.ended = True

    def end_elsewhere(self, name: str, began: float, *, skipped: bool) -> None:
        """A job that was not seen running has ended.

        Args:
            name: Its name.
            began: When the first of such jobs began.
            skipped: Whether it was done by an earlier run.
        """
        self.begin(name, 1, began)
        self.add(name, 1, skipped=skipped)
        self.end(name)

    @property
    def count(self) -> int:
        """Number of jobs."""
        return len(self._entries)

    @property
    def ended(self) -> int:
        """Number of jobs that have ended."""
        return self._ended

    @property
    def running(self) -> list[str]:
        """Names of the jobs that have begun and not ended."""
        with self._lock:
            return list(self._running)

    @property
    def units(self) -> tuple[int, int]:
        """Units that are done, and all units, of the running jobs."""
        with self._lock:
            running = list(self._running.values())
        return sum(entry.units for entry in running), sum(entry.total for entry in running)

    @property
    def share(self) -> float:
        """Share of all work that is done, 0 to 1."""
        return self._done / max(self._all, 1e-9)

    def seconds_left(self, now: float) -> float | None:
        """How long it will still take; None as long as nothing was made."""
        if self._began is None or self._made <= 0:
            return None
        return (self._all - self._done) * (now - self._began) / self._made

    def _set_done(self, entry: _Entry, done: float) -> None:
        self._done += entry.size * (done - entry.done)
        entry.done = done
