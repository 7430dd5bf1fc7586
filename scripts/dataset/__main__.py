"""Composes and renders the training set: four-stem songs with metadata, as 16-bit FLAC at 22 050 Hz.

A song is a pure function of (seed, split, index), whatever the number of jobs. Started again, finished songs are kept.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
import typer

from scripts.dataset.render import render_song
from scripts.dataset.score import SAMPLE_RATE_HZ, STEMS
from scripts.dataset.timbres import catalogue

_MOST_FAILURES = 50
_FAILURES = (
    ArithmeticError, AssertionError, LookupError, OSError, RuntimeError, TypeError, ValueError,
    subprocess.SubprocessError,
)  # fmt: skip
_REPORT_SECONDS = 30.0
_INSTRUMENTS = Path("../shared/instruments")


@dataclass(frozen=True)
class Task:
    """One song to render: where to, and from what."""

    out: Path
    split: str
    index: int
    seed: int
    instruments: Path
    fetched: Path | None

    @property
    def folder(self) -> Path:
        """The folder of the finished song."""
        return self.out / self.split / f"Track{self.index:05d}"


def render_task(task: Task) -> tuple[Task, float, str]:
    """Render one song into its folder unless it is there: (task, seconds of music, error message or "")."""
    done = task.folder / "metadata.json"
    if done.exists():
        return task, float(json.loads(done.read_text())["duration_seconds"]), ""
    try:
        seed = f"{task.seed}/{task.split}/{task.index}"
        stems, about = render_song(seed, task.split, task.instruments, task.fetched)
        _write(task.folder, stems, about)
    except _FAILURES as error:
        return task, 0.0, f"{type(error).__name__}: {error}"
    return task, float(about["duration_seconds"]), ""


def _write(folder: Path, stems: np.ndarray, about: dict[str, Any]) -> None:
    """Write stems [S, T] and metadata under a temporary name, then rename the folder."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, stem in zip(STEMS, stems, strict=True):
        soundfile.write(part / f"{name}.flac", stem, SAMPLE_RATE_HZ, subtype="PCM_16")
    (part / "metadata.json").write_text(json.dumps(about, indent=1))
    part.rename(folder)


def render_split(pool: ProcessPoolExecutor, tasks: Iterator[Task], hours: float, jobs: int) -> int:
    """Render songs in order of index until there are `hours` of them; returns the number of failures."""
    started, reported = time.monotonic(), 0.0
    pending = {pool.submit(render_task, next(tasks)) for _ in range(jobs)} if hours > 0 else set()
    seconds, songs, failures, finishing = 0.0, 0, 0, False
    while pending:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in finished:
            task, duration, problem = future.result()
            seconds, songs = seconds + duration, songs + (not problem)
            if problem:
                failures += 1
                print(f"failed: {task.folder}: {problem}", flush=True)
            finishing = seconds >= hours * 3600 or failures >= _MOST_FAILURES
            if not finishing:
                pending.add(pool.submit(render_task, next(tasks)))
            now = time.monotonic() - started
            if now - reported > _REPORT_SECONDS or (finishing and not pending):
                reported = now
                print(
                    f"{task.split}: {songs} songs, {seconds / 3600:.2f} of {hours:.2f} h, {now:.0f} s",
                    flush=True,
                )
    return failures


def _describe(
    out: Path, arguments: dict[str, Any], instruments: Path, fetched: Path | None
) -> None:
    """Write `dataset.json`: arguments, versions and timbres."""
    timbres = {
        split: {stem: [timbre.name for timbre in found] for stem, found in stems.items()}
        for split in ("train", "validation")
        for stems in [catalogue(instruments, split, fetched)]
    }
    packages = ("mido", "numpy", "pedalboard", "pysfizz", "scipy", "soundfile")
    about = {
        "arguments": arguments,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "stems": STEMS,
        "versions": {name: version(name) for name in packages} | {"python": sys.version.split()[0]},
        "timbres": timbres["train"],
        "held_out_timbres": timbres["validation"],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "dataset.json").write_text(json.dumps(about, indent=1))


def build(
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    hours: Annotated[float, typer.Option(help="Hours of training songs.")] = 20.0,
    validation_minutes: Annotated[float, typer.Option(help="Minutes of validation songs.")] = 40.0,
    seed: Annotated[int, typer.Option(help="Seed of the whole set.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    instruments: Annotated[
        Path, typer.Option(help="Folder of the sampled instruments.")
    ] = _INSTRUMENTS,
    fetched: Annotated[
        Path | None,
        typer.Option(
            help="What scripts/fetch_instruments.py fetched: the only guitars and pianos then."
        ),
    ] = None,
) -> None:
    """Compose and render validation songs, then training songs."""
    instruments = instruments.resolve()
    fetched = fetched.resolve() if fetched else None
    for name, folder in (("--instruments", instruments), ("--fetched", fetched)):
        if folder and not folder.is_dir():
            raise typer.BadParameter(f"no such folder: {folder}", param_hint=name)
    arguments = {
        "hours": hours,
        "validation_minutes": validation_minutes,
        "seed": seed,
        "fetched": bool(fetched),
    }
    _describe(out, arguments, instruments, fetched)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    failures = 0
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for split, wanted in (("validation", validation_minutes / 60), ("train", hours)):
            tasks = (Task(out, split, index, seed, instruments, fetched) for index in count())
            failures += render_split(pool, tasks, wanted, jobs)
    print(f"done, {failures} failed", flush=True)
    raise typer.Exit(1 if failures else 0)


if __name__ == "__main__":
    typer.run(build)
