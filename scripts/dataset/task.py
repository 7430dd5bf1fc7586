"""A song to render: into a folder of its own, unless it is there."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from scripts.dataset.render import render_song
from scripts.dataset.score import SAMPLE_RATE_HZ, STEMS

METADATA = "metadata.json"
FAILURES = (
    ArithmeticError,
    AssertionError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    subprocess.SubprocessError,
)
"""What a song may fail with; the others are rendered all the same."""


@dataclass(frozen=True)
class Task:
    """One song to render.

    Attributes:
        out: Folder of the whole set.
        split: train or validation.
        index: Number of the song in its split.
        seed: Of the whole set.
        instruments: Folder of the sampled instruments.
        fetched: Folder of the fetched ones, if any.
        web: Folder of the prepared zones, if any.
        midi: Folder of the gathered MIDI files, if any.
    """

    out: Path
    split: str
    index: int
    seed: int
    instruments: Path
    fetched: Path | None
    web: Path | None = None
    midi: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of the finished song."""
        return self.out / self.split / f"Track{self.index:05d}"


@dataclass(frozen=True)
class Rendered:
    """How the rendering of a song ended.

    Attributes:
        folder: Of the song.
        seconds: Length of the song; 0 if it failed.
        problem: Why it failed, or "".
    """

    folder: Path
    seconds: float
    problem: str = ""


def render_task(task: Task) -> Rendered:
    """Render one song into its folder, unless it is there."""
    done = task.folder / METADATA
    if done.exists():
        return Rendered(task.folder, float(json.loads(done.read_text())["duration_seconds"]))
    try:
        seed = f"{task.seed}/{task.split}/{task.index}"
        sources = task.instruments, task.fetched, task.web, task.midi
        stems, metadata = render_song(seed, task.split, *sources)
        write_song(task.folder, stems, metadata)
    except FAILURES as error:
        return Rendered(task.folder, 0.0, f"{type(error).__name__}: {error}")
    return Rendered(task.folder, float(metadata["duration_seconds"]))


def write_song(folder: Path, stems: np.ndarray, metadata: dict[str, Any]) -> None:
    """Write stems ``[S, T]`` and metadata under a temporary name, then rename the folder."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, stem in zip(STEMS, stems, strict=True):
        soundfile.write(part / f"{name}.flac", stem, SAMPLE_RATE_HZ, subtype="PCM_16")
    (part / METADATA).write_text(json.dumps(metadata, indent=1))
    part.rename(folder)
