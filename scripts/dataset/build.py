"""Compose and render the training set: songs of four stems, as 16-bit FLAC at 22 050 Hz.

    python -m scripts.dataset FOLDER --hours 20 --fetched INSTRUMENTS

A song is a pure function of seed, split and index, whatever the number of jobs. Finished songs are
kept when the command runs again. Debian's packages and sampled instruments are needed; see
``scripts/train/README.md``.
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.dataset.dx7 import is_available
from scripts.dataset.score import SAMPLE_RATE_HZ, STEMS
from scripts.dataset.task import Rendered, Task, render_task
from scripts.dataset.web import list_timbres, prepare_missing
from scripts.dataset.written import gather

INSTRUMENTS = Path("instruments")
PACKAGES = ("mido", "numpy", "pedalboard", "pysfizz", "scipy", "soundfile")
MOST_FAILURES = 50
REPORT_SECONDS = 30.0


class SplitRenderer:
    """Renders the songs of a split in order of their index, until there are enough hours.

    Args:
        pool: Processes that render.
        split: train or validation.
        hours: How much music is wanted.
    """

    def __init__(self, pool: ProcessPoolExecutor, split: str, hours: float) -> None:
        self.pool = pool
        self.split = split
        self.hours = hours
        self.seconds = 0.0
        self.songs = 0
        self.failures = 0
        self._started = time.monotonic()
        self._reported = 0.0

    @property
    def finishing(self) -> bool:
        """Whether no more songs are begun."""
        return self.seconds >= self.hours * 3600 or self.failures >= MOST_FAILURES

    def render(self, tasks: Iterator[Task], jobs: int) -> int:
        """Render songs, ``jobs`` at a time; the number of failures."""
        if self.finishing:
            return 0
        pending = {self.pool.submit(render_task, next(tasks)) for _ in range(jobs)}
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                self._count(future.result())
                if not self.finishing:
                    pending.add(self.pool.submit(render_task, next(tasks)))
            self._report(last=not pending)
        return self.failures

    def _count(self, rendered: Rendered) -> None:
        self.seconds += rendered.seconds
        if rendered.problem:
            self.failures += 1
            print(f"failed: {rendered.folder}: {rendered.problem}", flush=True)
        else:
            self.songs += 1

    def _report(self, *, last: bool) -> None:
        now = time.monotonic() - self._started
        if last or now - self._reported > REPORT_SECONDS:
            self._reported = now
            hours = f"{self.seconds / 3600:.2f} of {self.hours:.2f} h"
            print(f"{self.split}: {self.songs} songs, {hours}, {now:.0f} s", flush=True)


def describe(
    out: Path,
    arguments: dict[str, Any],
    instruments: Path,
    fetched: Path | None,
    web: Path | None = None,
) -> None:
    """Write ``dataset.json``: arguments, versions and timbres."""
    timbres = {
        split: {
            stem: [timbre.name for timbre in found]
            for stem, found in list_timbres(instruments, split, fetched, web).items()
        }
        for split in ("train", "validation")
    }
    packages = [*PACKAGES, "dexed-py"] if is_available() else PACKAGES
    description = {
        "arguments": arguments,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "stems": STEMS,
        "versions": {name: version(name) for name in packages} | {"python": sys.version.split()[0]},
        "timbres": timbres["train"],
        "held_out_timbres": timbres["validation"],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "dataset.json").write_text(json.dumps(description, indent=1))


def main(  # noqa: PLR0913  the options of a command
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write to.")],
    *,
    hours: Annotated[float, typer.Option(help="Hours of training songs.")] = 20.0,
    validation_minutes: Annotated[float, typer.Option(help="Minutes of validation songs.")] = 40.0,
    seed: Annotated[int, typer.Option(help="Seed of the whole set.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    instruments: Annotated[Path, typer.Option(help="Sampled instruments.")] = INSTRUMENTS,
    fetched: Annotated[
        Path | None,
        typer.Option(
            help="Folder of scripts.dataset.fetch_instruments: the only guitars and pianos then."
        ),
    ] = None,
    web: Annotated[
        Path | None,
        typer.Option(
            help="Folder of instruments of zones: three fifths of the basses, guitars and pianos "
            "of training then, and all of validation's."
        ),
    ] = None,
    midi: Annotated[
        Path | None,
        typer.Option(help="Folder of MIDI files and WADs: training plays these songs then."),
    ] = None,
) -> None:
    """Compose and render validation songs, then training songs."""
    instruments = instruments.resolve()
    fetched = fetched.resolve() if fetched else None
    for option, folder in (
        ("--instruments", instruments),
        ("--fetched", fetched),
        ("--web", web),
        ("--midi", midi),
    ):
        if folder and not folder.is_dir():
            raise typer.BadParameter(f"no such folder: {folder}", param_hint=option)
    arguments = {"hours": hours, "validation_minutes": validation_minutes, "seed": seed}
    prepared = None
    if web:
        prepared = out.resolve() / "web"
        prepare_missing(web, prepared)
    given: dict[str, Any] = {"fetched": bool(fetched)} | ({"web": True} if web else {})
    written = out.resolve() / "midi" if midi else None
    if midi and written:
        given["midi"] = gather(midi, written)
    describe(out, {**arguments, **given}, instruments, fetched, prepared)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    failures = 0
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for split, wanted in (("validation", validation_minutes / 60), ("train", hours)):
            tasks = (
                Task(out, split, index, seed, instruments, fetched, prepared, written)
                for index in count()
            )
            failures += SplitRenderer(pool, split, wanted).render(tasks, jobs)
    print(f"done, {failures} failed", flush=True)
    raise typer.Exit(1 if failures else 0)
