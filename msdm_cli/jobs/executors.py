"""How several jobs are run: a table of executors."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from msdm_cli.errors import FAILURES, MsdmError
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult

if TYPE_CHECKING:
    from msdm_cli.jobs.cluster.connection import Cluster

POLL_SECONDS = 0.5
"""How long Ctrl-C may take to arrive on Windows, where a waiting thread is not interrupted."""

Requests = Mapping[str, JobRequest]
Work = Callable[[str, JobRequest], JobResult]
"""Runs a job, from its name and its request."""


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        name: Name of the job.
        result: What it has made, or why it failed.
        seconds: Time that it took.
        machine: Where it ran, if elsewhere.
        workers: How many jobs could run at once when it ended, if the executor decides that.
    """

    name: str
    result: JobResult | MsdmError | OSError | MemoryError
    seconds: float
    machine: str = ""
    workers: int = 0


class Run(Protocol):
    """Runs jobs and says how they ended."""

    def __call__(
        self, requests: Requests, work: Work, workers: int, stop: Callable[[], None]
    ) -> Iterator[Ended]:
        """Run jobs.

        Args:
            requests: The jobs by name.
            work: Runs one of them.
            workers: How many at once.
            stop: Called on any exception that is no failure of one job, KeyboardInterrupt too; it
                makes jobs that have begun end soon.

        Yields:
            The end of each job, as they come.
        """
        ...


@dataclass(frozen=True)
class Executor:
    """A row of the table.

    Attributes:
        run: Runs the jobs.
        most_workers: How many jobs it can run at once; None if any number.
        here: Whether jobs run in this process, and share its model. Otherwise ``work`` is
            ``msdm_cli.jobs.run.run_alone``: it and a request can be pickled, and the model is
            loaded where they arrive.
    """

    run: Run
    most_workers: int | None = None
    here: bool = True


def attempt(name: str, request: JobRequest, work: Work) -> Ended:
    """Run a job; an error that need not end the others is how it ended."""
    began = time.monotonic()
    try:
        result: JobResult | MsdmError | OSError | MemoryError = work(name, request)
    except FAILURES as error:
        _release(error)
        result = error
    return Ended(name, result, time.monotonic() - began)


def _release(error: BaseException | None) -> None:
    """Forget the traceback of an error and of its causes: it holds on to megabytes of samples."""
    while error is not None:
        error.__traceback__ = None
        error.__context__ = None
        error = error.__cause__


def run_serially(
    requests: Requests, work: Work, workers: int, stop: Callable[[], None]
) -> Iterator[Ended]:
    """Run one job after the other, in the calling thread; see ``Run``."""
    del workers, stop  # KeyboardInterrupt reaches the job by itself
    for name, request in requests.items():
        yield attempt(name, request, work)


def run_in_threads(
    requests: Requests, work: Work, workers: int, stop: Callable[[], None]
) -> Iterator[Ended]:
    """Run several jobs at once, each in a thread; see ``Run``."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: set[Future[Ended]] = {
            pool.submit(attempt, name, request, work) for name, request in requests.items()
        }
        try:
            while waiting:
                done, waiting = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            stop()
            pool.shutdown(cancel_futures=True)
            raise


def run_on_cluster(
    requests: Requests,
    work: Work,
    workers: int,
    stop: Callable[[], None],
    **options: "Cluster",
) -> Iterator[Ended]:
    """Run jobs on a Ray cluster; see ``msdm_cli.jobs.cluster.execute``."""
    from msdm_cli.jobs.cluster.execute import run_on_ray  # it needs this module

    return run_on_ray(requests, work, workers, stop, **options)


EXECUTORS = {
    "serial": Executor(run_serially, most_workers=1),
    "threads": Executor(run_in_threads),
    "ray": Executor(run_on_cluster, here=False),
}


def choose_executor(name: str | None, workers: int) -> Executor:
    """An executor by its name; without one, the first that runs so many jobs at once."""
    if name is not None:
        return EXECUTORS[name]
    return next(
        row for row in EXECUTORS.values() if row.most_workers is None or workers <= row.most_workers
    )
