"""Chunks that do not wait for each other: one per device at a time, while the next one is read."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import TypeVar

POLL_SECONDS = 0.5

T = TypeVar("T")


class Ahead:
    """Does calls in threads, and gives what they return in order.

    As a context manager it waits for the calls that have begun, and forgets the others.

    Args:
        workers: How many calls at once.
        stop: Makes calls that have begun end soon.
    """

    def __init__(self, workers: int, stop: Callable[[], None]) -> None:
        self._workers, self._stop = workers, stop
        self._pool = ThreadPoolExecutor(workers)

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._pool.shutdown(cancel_futures=True)

    def run(self, calls: Iterable[Callable[[], T]]) -> Iterator[T]:
        """Do calls. Each is taken from the iterable while those before it run."""
        begun: deque[Future[T]] = deque()
        for call in calls:
            begun.append(self._pool.submit(call))
            if len(begun) > self._workers:
                yield _result(begun.popleft())
        while begun:
            yield _result(begun.popleft())


def _result(future: Future[T]) -> T:
    while wait([future], POLL_SECONDS).not_done:  # so that Ctrl-C arrives on Windows too
        pass
    return future.result()
