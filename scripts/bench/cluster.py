"""A batch on a cluster: how it scales, what it adds to a song, and what is lost when machines are.

    pip install '.[cluster]'
    python -m scripts.bench.cluster --output scripts/bench/cluster.md

The machines are Ray's local nodes, of a core each.
"""

import os
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.batch import run_batch
from msdm_cli.cli.beside import Beside
from msdm_cli.cli.display import Display
from msdm_cli.digest import digest_file
from msdm_cli.errors import FAILURES
from msdm_cli.jobs.cluster.connection import Cluster, load_ray
from msdm_cli.jobs.cluster.execute import run_on_ray
from msdm_cli.jobs.executors import Ended, Executor, Requests, Work, run_serially
from scripts.bench.cluster_work import (
    LocalCluster,
    count_made,
    load_filter,
    local_cluster,
    make_requests,
    separate_by_filter,
    write_noise,
)
from scripts.bench.report import OutputOption, Report, cpu_name

ONE_CORE = Cluster("auto", {"CPU": 1.0})
STEP = 1000
"""Songs between two looks at time and memory."""


def do_nothing() -> None:
    """There is nothing to stop."""


def run_filters(requests: Requests) -> Iterator[Ended]:
    """Run jobs on the cluster that this process is connected to."""
    return run_on_ray(requests, separate_by_filter, 1, do_nothing, ONE_CORE)


def measure_speed(requests: Requests, nodes: int) -> tuple[float, float, float]:
    """Songs a second when all workers are there, the share of time that they work, and their start.

    On a machine that others use, too, the share says more than the speed.
    """
    began = time.monotonic()
    times = []
    work_seconds = []
    with local_cluster(nodes):
        for ended in run_filters(requests):
            if isinstance(ended.result, FAILURES):
                raise ended.result
            if ended.workers == nodes:
                times.append(time.monotonic())
                work_seconds.append(ended.seconds)
    # The last songs do not end together.
    took = times[-nodes] - times[0]
    done = len(times) - nodes
    return done / took, sum(work_seconds[1 : done + 1]) / took / nodes, times[0] - began


def compare_speed(report: Report, folder: Path, song: Path, count: int) -> None:
    """One process, one worker, and several: songs a second."""
    load_filter()
    began = time.monotonic()
    alone = make_requests(song, folder / "alone", count)
    for ended in run_serially(alone, separate_by_filter, 1, do_nothing):
        assert not isinstance(ended.result, FAILURES), ended.result
    one_process = count / (time.monotonic() - began)
    report.write("Songs of 30 s. Workers that work all of their time are held up by nothing else.")
    report.begin_table(
        "who", "songs a second", "against one worker", "of their time, workers work", "start, s"
    )
    report.row("one process", f"{one_process:.2f}", "", "", "")
    one = 0.0
    for nodes in (1, 2, 4):
        requests = make_requests(song, folder / str(nodes), count * nodes)
        speed, share, start = measure_speed(requests, nodes)
        one = one or speed
        report.row(
            "1 worker" if nodes == 1 else f"{nodes} workers",
            f"{speed:.2f}",
            f"{speed / one:.2f}",
            f"{100 * share:.0f} %",
            f"{start:.0f}",
        )


class Watch:
    """Time and memory of a batch, each time that so many songs have ended.

    Args:
        report: Has a row for each look.
        nodes: Number of workers.
    """

    def __init__(self, report: Report, nodes: int) -> None:
        self._report = report
        self._nodes = nodes
        report.write(
            f"Songs of 0.1 s, {nodes} workers, through all that the command does. The first row "
            "includes the start of the workers. What is added to a song is the time of all "
            "workers, less the time that songs took in them."
        )
        report.begin_table("songs", "songs a second", "added to a song, ms", "driver, MB")

    def run(
        self, requests: Requests, work: Work, workers: int, stop: Callable[[], None]
    ) -> Iterator[Ended]:
        """Run jobs as an executor does, and look."""
        del work, workers, stop
        began = time.monotonic()
        own = 0.0
        for number, ended in enumerate(run_filters(requests), start=1):
            own += ended.seconds
            yield ended
            if number % STEP == 0:
                seconds = time.monotonic() - began
                added = 1000 * (seconds * self._nodes - own) / STEP
                self._report.row(
                    number, f"{STEP / seconds:.1f}", f"{added:.1f}", f"{read_memory():.0f}"
                )
                began = time.monotonic()
                own = 0.0


def read_memory() -> float:
    """Resident memory of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(found) * 1024 / 1e6


def run_many(report: Report, folder: Path, song: Path, count: int) -> None:
    """Very many very short songs, through all that the command does."""
    with local_cluster(2):
        watch = Watch(report, 2)
        display = Display(quiet=True)
        run_batch(
            "song",
            make_requests(song, folder, count),
            load_filter,
            beside=Beside(display, page=False),
            executor=Executor(watch.run, here=False),
        )


class Killer:
    """Kills a machine of two in the middle of batches.

    Args:
        folder: Receives results, and loses them.
        song: What each batch separates.
        count: How many times.
    """

    def __init__(self, folder: Path, song: Path, count: int) -> None:
        self._folder = folder
        self._song = song
        self._count = count
        self._expected: dict[str, str] = {}
        self._random = random.Random(0)
        self.found: Counter[str] = Counter()

    def run(self, cluster: LocalCluster, number: int, seconds: float | None) -> float:
        """Run a batch, and kill a machine within some seconds unless None; how long it took."""
        place = self._folder / str(number)
        began = time.monotonic()
        killer = threading.Timer(
            self._random.uniform(0, seconds or 0.0), cluster.kill, [self._random.randrange(2)]
        )
        if seconds is not None:
            killer.start()
        ended = []
        for one in run_filters(make_requests(self._song, place, self._count)):
            ended.append(one)
            if killer.finished.is_set():
                cluster.fill(2)  # while the others work
        took = time.monotonic() - began
        self.found["kills"] += seconds is not None and killer.finished.is_set()
        killer.cancel()
        if seconds is not None:
            killer.join()
        cluster.fill(2)
        self._compare(place, ended)
        shutil.rmtree(place)
        return took

    def _compare(self, place: Path, ended: list[Ended]) -> None:
        done = {one.name for one in ended if not isinstance(one.result, FAILURES)}
        self.found["lost"] += self._count - len(done)
        self.found["twice"] += sum(number > 1 for number in count_made(place).values())
        for path in place.glob("*/*.wav"):
            digest = digest_file(path)
            self.found["other"] += self._expected.setdefault(path.name, digest) != digest


def kill_at_random(report: Report, folder: Path, song: Path, runs: int, songs: int) -> None:
    """Kill a machine in the middle of a batch, many times."""
    killer = Killer(folder, song, songs)
    with local_cluster(2) as cluster:
        undisturbed = killer.run(cluster, 0, None)
        took = []
        for number in range(1, runs + 1):
            took.append(killer.run(cluster, number, undisturbed))
            print(number, dict(killer.found), flush=True)
    found = killer.found
    report.write(
        f"A machine of two killed at a random moment of a batch of {songs} songs, {found['kills']} "
        f"times in {runs} batches: "
        f"{found['lost']} songs lost, {found['twice']} done twice, {found['other']} files with "
        f"other bytes. A batch took {undisturbed:.0f} s undisturbed, and {sum(took) / runs:.0f} s "
        "on average with a kill and another machine in its place."
    )


def main(
    *,
    songs: Annotated[int, typer.Option(help="Songs of 30 s, for each worker.")] = 20,
    many: Annotated[int, typer.Option(help="Songs of 0.1 s.")] = 10_000,
    runs: Annotated[int, typer.Option(help="Runs in which a machine is killed.")] = 20,
    note: Annotated[str, typer.Option(help="What else ran on the machine, as a sentence.")] = "",
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    machine = f"{cpu_name()}, {os.cpu_count()} cores, Ray {load_ray().__version__}"
    report = Report(
        f"A batch on a cluster, by `python -m scripts.bench.cluster`, on {machine}. A static "
        "Wiener filter takes the place of the network; machines are Ray's local nodes of a core "
        f"each. {note}".rstrip()
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if songs:
            compare_speed(report, folder / "speed", write_noise(folder / "a.wav", 30.0), songs)
        if many:
            run_many(report, folder / "many", write_noise(folder / "b.wav", 0.1), many)
        if runs:
            song = write_noise(folder / "c.wav", 60.0)
            kill_at_random(report, folder / "kills", song, runs, 8)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
