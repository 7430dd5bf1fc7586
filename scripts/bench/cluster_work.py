"""A cluster inside this machine, and songs for it whose network is a filter."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.regression import RegressionOptions
from msdm_cli.interface import Model
from msdm_cli.jobs.cluster.connection import load_ray
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult
from msdm_cli.jobs.run import run_job
from msdm_cli.tasks.separate import SONG, SeparateOptions
from scripts.bench.endurance import load_static

RATE_HZ = 22050
MADE = "made.log"
"""Has a line for each song that was separated: twice, if it was done twice."""

ROOT = Path(__file__).parents[2]


@lru_cache(1)
def load_filter() -> Model:
    """A static Wiener filter in the place of the embedded network."""
    return load_static()


def separate_by_filter(name: str, request: JobRequest) -> JobResult:
    """Work of a worker: separate a song, and note that it was done."""
    result = run_job(request, load_filter())
    if not result.skipped:
        log = os.open(request.folder / MADE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, f"{name}\n".encode())
        os.close(log)
    return result


def write_noise(path: Path, seconds: float) -> Path:
    """A song of noise, mono."""
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ))
    soundfile.write(path, samples, RATE_HZ, "PCM_16")
    return path


def make_requests(song: Path, folder: Path, count: int) -> dict[str, JobRequest]:
    """Jobs that separate the same song, each to a folder of its own."""
    model = load_filter()
    preset = Preset("regression", RegressionOptions(sigma_max=10.0))
    request = JobRequest(
        task="separate",
        model=model.spec.name,
        runtime=model.runtime,
        options=SeparateOptions(preset, None),
        inputs={SONG: song},
        folder=folder,
        output=OutputOptions(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    return {str(number): dataclasses.replace(request, track=str(number)) for number in range(count)}


class LocalCluster:
    """Several machines of Ray inside this one.

    Args:
        nodes: How many, of a core each, beside the head.
    """

    def __init__(self, nodes: int) -> None:
        path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
        os.environ["PYTHONPATH"] = path.rstrip(os.pathsep)
        self.ray = load_ray()
        from ray.cluster_utils import Cluster

        self._cluster: Any = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self._nodes: list[Any] = []
        self.fill(nodes)
        self.ray.init(address=self._cluster.address, log_to_driver=False, logging_level="FATAL")

    def kill(self, number: int) -> None:
        """Kill a machine with all that runs on it."""
        self._cluster.remove_node(self._nodes.pop(number), allow_graceful=False)

    def fill(self, nodes: int) -> None:
        """Add machines until there are so many. Ray does that in the main thread only."""
        while len(self._nodes) < nodes:
            self._nodes.append(self._cluster.add_node(num_cpus=1))

    def stop(self) -> None:
        """End all of it."""
        self.ray.shutdown()
        self._cluster.shutdown()


@contextlib.contextmanager
def local_cluster(nodes: int) -> Iterator[LocalCluster]:
    """A cluster for as long as a ``with`` block."""
    cluster = LocalCluster(nodes)
    try:
        yield cluster
    finally:
        cluster.stop()


def count_made(folder: Path) -> Mapping[str, int]:
    """How many times each song was separated."""
    names = (folder / MADE).read_text().split()
    return {name: names.count(name) for name in names}
