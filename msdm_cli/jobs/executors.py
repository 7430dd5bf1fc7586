"""How several jobs are run: a table of executors."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

POLL_SECONDS = 0.5
"""How long Ctrl-C may take to arrive on Windows, where a waiting thread is not interrupted."""

T = TypeVar("T")


class Executor(Protocol):
    """Runs calls and gives their results."""

    def __call__(
        self, calls: Mapping[str, Callable[[], T]], workers: int, stop: Callable[[], None]
    ) -> Iterator[tuple[str, T]]:
        """Run calls.

        Args:
            calls: By name. An exception ends the run: a call returns its error instead.
            workers: How many at once.
            stop: Called on any exception, KeyboardInterrupt too; it makes calls that have begun end
                soon.

        Yields:
            Name and result, as they come.
        """
        ...


def run_serially(
    calls: Mapping[str, Callable[[], T]], workers: int, stop: Callable[[], None]
) -> Iterator[tuple[str, T]]:
    """Run one call after the other, in the calling thread; see ``Executor``."""
    del workers, stop  # KeyboardInterrupt reaches the call by itself
    for name, call in calls.items():
        yield name, call()


def run_in_threads(
    calls: Mapping[str, Callable[[], T]], workers: int, stop: Callable[[], None]
) -> Iterator[tuple[str, T]]:
    """Run several calls at once, each in a thread; see ``Executor``."""
    with ThreadPoolExecutor(workers) as pool:
        names: dict[Future[T], str] = {pool.submit(call): name for name, call in calls.items()}
        waiting = set(names)
        try:
            while waiting:
                done, waiting = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
                for future in done:
                    yield names[future], future.result()
        except BaseException:
            stop()
            pool.shutdown(cancel_futures=True)
            raise


EXECUTORS: dict[str, Executor] = {"serial": run_serially, "threads": run_in_threads}
