"""What it brings to draw several sketches and keep the one whose stems predict each other best.

    pip install librosa scipy; pip install --no-deps basic-pitch==0.4.0
    python -m scripts.bench.choosing DATA/validation --output scripts/bench/choosing.md

Each stem of each song is imputed from the other three, by ``default`` and by ``best`` with several
numbers of candidates. The first candidate is the sample of ``default``, so rows differ by the
choice alone. Figures are those of ``scripts.bench.prior``; none of them takes part in the choice.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from scripts.bench.chord_tones import Roll, find_roll, measure_chord_tones
from scripts.bench.music_figures import (
    measure_chroma_agreement,
    measure_onset_agreement,
    measure_pulse,
    measure_silence,
)
from scripts.bench.prior import DRUMS, impute
from scripts.bench.report import OutputOption, Report
from scripts.songs import list_songs, load_middle

TASK = "impute"
CANDIDATES = (2, 4, 8)
FIGURES = ("onsets", "chroma", "chord tones", "pulse", "silence")


def list_models(model: Model) -> list[tuple[str, Model, str]]:
    """What a row is called, its model, and its quality."""
    rows = [("`default`", model, "default")]
    first = model.spec.list_stages(TASK)[0]
    for count in CANDIDATES:
        stages = list(model.spec.stages)
        best = stages[first].presets[TASK]["best"].with_options({"candidates": count})
        stages[first] = dataclasses.replace(
            stages[first], presets={**stages[first].presets, TASK: {"best": best}}
        )
        spec = dataclasses.replace(model.spec, stages=tuple(stages))
        rows.append((f"one of {count}", dataclasses.replace(model, spec=spec), "best"))
    return rows


def measure(x: Samples, given: Samples, roll: Roll | None) -> list[float]:
    """The figures of an imputed stem beside what was given, ``[T], [T]``; NaN where it has none."""
    return [
        measure_onset_agreement(x, given),
        measure_chroma_agreement(x, given),
        float("nan") if roll is None else measure_chord_tones(find_roll(x), roll),
        measure_pulse(x),
        measure_silence(x),
    ]


def measure_song(models: list[tuple[str, Model, str]], stems: Samples) -> NDArray[np.float64]:
    """Figures of all rows and stems of a song, ``[S, T] -> [S, rows, figures]``."""
    names = models[0][1].spec.stems
    pitched = [index for index, name in enumerate(names) if name != DRUMS]
    table = []
    for target, name in enumerate(names):
        given = stems.sum(0) - stems[target]
        others = [index for index in pitched if index != target]
        roll = None if name == DRUMS else find_roll(stems[others].sum(0))
        table.append(
            [
                measure(impute(model, stems, target, quality), given, roll)
                for _, model, quality in models
            ]
        )
    return np.array(table)


def describe(values: NDArray[np.float64], base: NDArray[np.float64]) -> str:
    """The mean of a row, and how much it differs from the first row, with its standard error."""
    both = np.isfinite(values) & np.isfinite(base)
    change = (values - base)[both]
    mean = f"{values[both].mean():.3f}"
    if not change.any():
        return mean
    return f"{mean} ({change.mean():+.3f} ± {change.std() / len(change) ** 0.5:.3f})"


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    seconds: Annotated[float, typer.Option(help="Length of each.")] = 11.8,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    models = list_models(load_model(device="cpu"))
    folders = list_songs(songs)
    table = np.concatenate(
        [measure_song(models, load_middle(folder, seconds)) for folder in folders]
    )
    report = Report(
        f"Each stem of {len(folders)} songs of {seconds:g} s imputed from the other three, by "
        "`python -m scripts.bench.choosing`.",
        "Means over stems; in brackets, what changed against `default`, and its standard error. "
        "Onsets, chroma and chord tones: agreement with the given stems; of drums no chord tones.",
    )
    report.begin_table("sketch", *FIGURES)
    for row, (name, _, _) in enumerate(models):
        cells = [
            describe(table[:, row, figure], table[:, 0, figure]) for figure in range(len(FIGURES))
        ]
        report.row(name, *cells)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
