"""Jobs that wait for a worker: those that have not been tried, and those that were lost."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

MOST_TRIES = 3
"""A job with which so many workers were lost is given up: it may be what kills them."""

LOCKED_SECONDS = 120.0
"""How long a machine that was lost may hold the lock of its job: NFS takes 90 s to notice."""

AGAIN_SECONDS = 1.0
"""Time between two tries to take such a lock."""


class Queue:
    """Jobs that wait, by name.

    Args:
        names: All jobs, in order.
        clock: Seconds that pass.
    """

    def __init__(self, names: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._waiting = deque(names)
        self._clock = clock
        self._lost: Counter[str] = Counter()
        self._refused: dict[str, float] = {}
        self._later: deque[tuple[float, str]] = deque()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._later)

    def take(self) -> str | None:
        """The next job; None if there is none now."""
        if self._later and self._later[0][0] <= self._clock():
            return self._later.popleft()[1]
        return self._waiting.popleft() if self._waiting else None

    def lose(self, name: str) -> bool:
        """A worker was lost with a job. Whether the job is tried again."""
        self._lost[name] += 1
        again = self._lost[name] < MOST_TRIES
        if again:
            self._waiting.appendleft(name)
        return again

    def refuse(self, name: str) -> bool:
        """Another process holds a job: perhaps one that was lost. Whether it is tried again."""
        now = self._clock()
        again = now < self._refused.setdefault(name, now) + LOCKED_SECONDS
        if again:
            self._later.append((now + AGAIN_SECONDS, name))
        return again
