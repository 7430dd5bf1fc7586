"""Chunks in threads: each device draws one while the next one is read and the last one is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import cycle
from types import TracebackType
from typing import TypeVar

POLL_SECONDS = 0.5

T = TypeVar("T")


class Ahead:
    """Makes calls in threads that take turns, and gives their results in order.

    As a context manager it waits for the calls that have begun, and drops the others.

    Args:
        devices: Number of threads. Thread ``k % devices`` makes call k, as ``LoadedModel.choose``
            has it.
        stop: Makes calls that have begun end soon.
    """

    def __init__(self, devices: int, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._threads = [ThreadPoolExecutor(1) for _ in range(devices)]

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        for thread in self._threads:
            thread.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            thread.shutdown()

    def run(self, calls: Iterable[Callable[[], T]]) -> Iterator[T]:
        """Make calls. Each is taken from the iterable while those before it run."""
        begun: deque[Future[T]] = deque()
        for call, thread in zip(calls, cycle(self._threads), strict=False):
            begun.append(thread.submit(call))
            if len(begun) > len(self._threads):
                yield _result(begun.popleft())
        while begun:
            yield _result(begun.popleft())


def _result(future: Future[T]) -> T:
    while wait([future], POLL_SECONDS).not_done:  # so that Ctrl-C arrives on Windows too
        pass
    return future.result()
