"""The executor of the table that runs jobs on a Ray cluster."""

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msdm_cli.errors import ClusterError, JobRunning
from msdm_cli.jobs.cluster.connection import Cluster, connect
from msdm_cli.jobs.cluster.pool import Lost, Pool
from msdm_cli.jobs.cluster.queue import MOST_TRIES, Queue
from msdm_cli.jobs.cluster.resources import check_room, choose_resources
from msdm_cli.jobs.executors import POLL_SECONDS, Ended, Requests, Work
from msdm_cli.jobs.remote.addresses import is_address
from msdm_cli.jobs.request import JobRequest

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""Time between two looks for machines that have come."""


def run_on_ray(
    requests: Requests,
    work: Work,
    workers: int,
    stop: Callable[[], None],
    cluster: Cluster | None = None,
) -> Iterator[Ended]:
    """Run jobs on a cluster; see ``msdm_cli.jobs.executors.Run``.

    Args:
        requests: The jobs by name. Their paths mean the same on all machines.
        work: Runs one of them, there.
        workers: Of no account: the cluster has room for some.
        stop: Of no account: jobs end with their workers.
        cluster: Which one.

    Raises:
        MissingPackage: Ray is not installed.
        ClusterError: The cluster does not answer, or cannot run the jobs.
    """
    del workers, stop
    if not requests:
        return
    cluster = cluster or Cluster()
    with connect(cluster.address) as ray:
        runtime = next(iter(requests.values())).runtime
        nodes = ray.nodes()
        need = cluster.resources or choose_resources(nodes, runtime.device, runtime.threads)
        check_room(nodes, need)
        pool = Pool(ray, need, work)
        try:
            yield from drive(pool, requests)
        finally:
            pool.close()


def drive(pool: Pool, requests: Requests) -> Iterator[Ended]:
    """Have the workers of a pool run all jobs."""
    queue = Queue(requests)
    looked = -LOOK_SECONDS
    while queue or pool.busy:
        now = time.monotonic()
        if now - looked >= LOOK_SECONDS or not pool.idle + pool.busy:
            pool.grow(len(queue) + pool.busy)
            looked = now
        while pool.idle and (name := queue.take()) is not None:
            pool.give(name, make_absolute(requests[name]))
        for event in pool.wait(POLL_SECONDS):
            ended = _judge(event, queue)
            if ended is not None:
                yield ended


def _judge(event: Ended | Lost, queue: Queue) -> Ended | None:
    """How a job has ended; None if it is tried again."""
    if isinstance(event, Ended):
        again = isinstance(event.result, JobRunning) and queue.refuse(event.name)
        return None if again else event
    if queue.lose(event.name):
        log.info("%s: a worker was lost (%s); the song goes on elsewhere", event.name, event.reason)
        return None
    error = ClusterError(
        f"{event.name}: given up, since {MOST_TRIES} workers were lost with it ({event.reason})",
        "Try it alone, on one machine; workers with more memory may help.",
    )
    return Ended(event.name, error, event.seconds)


def make_absolute(request: JobRequest) -> JobRequest:
    """The same job for another working folder."""

    def place(path: Path) -> Path:
        return path if is_address(path) else path.absolute()

    inputs = {role: place(path) for role, path in request.inputs.items()}
    return dataclasses.replace(request, inputs=inputs, folder=place(request.folder))
