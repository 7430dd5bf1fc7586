"""The workers of a batch on a cluster. Machines may come and go."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from msdm_cli import __version__
from msdm_cli.errors import ClusterError
from msdm_cli.jobs.cluster.connection import SAME_VERSIONS
from msdm_cli.jobs.cluster.resources import Resources, count_room, describe, to_options
from msdm_cli.jobs.cluster.worker import Worker
from msdm_cli.jobs.executors import Ended, Work
from msdm_cli.jobs.request import JobRequest

log = logging.getLogger(__name__)

MOST_FAILED_STARTS = 3
"""So many workers in a row that do not start are no accident."""

SAME_MSDM = "Install the same msdm on all machines, and look at the logs of Ray."

WAITING_SECONDS = 10.0
"""After this long without any worker, a person wants to know why."""


@dataclass(frozen=True)
class Lost:
    """A worker was lost, with its job.

    Attributes:
        name: Name of the job.
        reason: What Ray says of it.
        seconds: How long the job had run.
    """

    name: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class _Busy:
    """A worker and what it runs."""

    actor: Any
    machine: str
    name: str
    began: float


class Pool:
    """Workers, each on a part of a machine.

    Args:
        ray: The module, connected.
        need: What a worker takes.
        work: Runs a job.
    """

    def __init__(self, ray: Any, need: Resources, work: Work) -> None:
        self._ray = ray
        self._need = need
        self._actor = ray.remote(Worker).options(max_restarts=0, **to_options(need))
        # Sent once, not with every worker.
        self._work = ray.put(work)
        self._starting: dict[Any, Any] = {}
        self._idle: list[tuple[Any, str]] = []
        self._busy: dict[Any, _Busy] = {}
        self._failed_starts = 0
        self._began = time.monotonic()
        self._said: set[str] = set()

    @property
    def idle(self) -> int:
        """Number of workers that have nothing to do."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """Number of workers that run a job."""
        return len(self._busy)

    def grow(self, jobs: int) -> None:
        """Start workers where there is room, but no more than there are jobs."""
        there = len(self._starting) + self.idle + self.busy
        if there >= jobs:
            return
        for _ in range(there, min(jobs, count_room(self._ray.nodes(), self._need))):
            actor = self._actor.remote(self._work)
            self._starting[actor.introduce.remote()] = actor

    def give(self, name: str, request: JobRequest) -> None:
        """Have an idle worker run a job."""
        actor, machine = self._idle.pop()
        self._busy[actor.run.remote(name, request)] = _Busy(actor, machine, name, time.monotonic())

    def wait(self, seconds: float) -> Iterator[Ended | Lost]:
        """What has happened, after the first of it or some seconds.

        Raises:
            ClusterError: No worker starts, or has this version.
        """
        references = [*self._starting, *self._busy]
        if not references:
            self._say_that_it_waits()
            time.sleep(seconds)
            return
        ready, rest = self._ray.wait(references, timeout=seconds)
        if ready and rest:
            ready += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        for reference in ready:
            if reference in self._starting:
                self._welcome(self._starting.pop(reference), reference)
            else:
                yield self._finish(self._busy.pop(reference), reference)
        self._say_that_it_waits()

    def close(self) -> None:
        """End all workers, whatever they do."""
        actors = [*self._starting.values(), *(actor for actor, _ in self._idle)]
        for actor in (*actors, *(busy.actor for busy in self._busy.values())):
            self._ray.kill(actor)
        self._starting.clear()
        self._idle.clear()
        self._busy.clear()

    def _welcome(self, actor: Any, reference: Any) -> None:
        try:
            version, machine = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                self._refuse(f"workers do not start on the cluster ({explain(error)})", SAME_MSDM)
            return
        if version != __version__:
            self._ray.kill(actor)
            self._refuse(
                f"{machine} has msdm {version}, and this machine {__version__}", SAME_VERSIONS
            )
            return
        self._failed_starts = 0
        self._idle.append((actor, machine))

    def _refuse(self, message: str, remedy: str) -> None:
        """A machine is of no use. Say so; without any other worker, it is the end.

        Raises:
            ClusterError: There is no other worker.
        """
        if not (self.idle or self.busy):
            raise ClusterError(message, remedy)
        self._say_once(f"{message}. {remedy}")

    def _finish(self, busy: _Busy, reference: Any) -> Ended | Lost:
        try:
            ended, messages = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            # After an error that nobody expected, what is left of the worker may be broken.
            self._ray.kill(busy.actor)
            return Lost(busy.name, explain(error), time.monotonic() - busy.began)
        for message in messages:
            log.info("%s", message)
        self._idle.append((busy.actor, busy.machine))
        return replace(ended, machine=busy.machine, workers=self.idle + self.busy)

    def _say_that_it_waits(self) -> None:
        late = time.monotonic() - self._began > WAITING_SECONDS
        if late and not (self.idle or self.busy):
            self._say_once(f"waiting for a machine of the cluster with {describe(self._need)}")

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            log.info("%s", message)


def explain(error: BaseException) -> str:
    """What Ray says of a worker that was lost, as a line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):  # of an exception that the worker has raised
        return f"{type(cause).__name__}: {' '.join(str(cause).split())}"
    text = str(error)
    for sign, reason in REASONS.items():
        if sign in text:
            return reason
    return (text.strip().splitlines() or [type(error).__name__])[-1].strip()


REASONS = {
    "Some common causes include": "its process has died",
    "ray.kill": "it was killed",
    "due to the node running low on memory": "its machine is out of memory",
    "node has died": "its machine was lost",
    "its node": "its machine was lost",
}
"""By what Ray's long texts contain."""
