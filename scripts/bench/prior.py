"""What the prior does where no mixture is given: imputation and generation.

    pip install librosa scipy; pip install --no-deps basic-pitch==0.4.0
    python -m scripts.bench.prior DATA/validation --output scripts/bench/prior.md

Imputation: of each song, each stem is imputed from the other three. Agreement with what was given
is the correlation of onset strengths, the cosine of chroma vectors, and the share of its notes that
are among those of the given stems without drums (``scripts.bench.chord_tones``). A stem that
follows agrees better with its own song than with the others (Wilcoxon signed-rank test over songs).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import typer

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from scripts.bench.chord_tones import find_roll, measure_chord_tones
from scripts.bench.music_figures import (
    frechet_distance,
    level_db,
    log_mel,
    measure_chance,
    measure_chroma_agreement,
    measure_onset_agreement,
    measure_pulse,
    measure_silence,
)
from scripts.bench.report import OutputOption, Report
from scripts.songs import list_songs, load_middle

T = TypeVar("T")

DRUMS = "drums"

DISTANCE = (
    "Distances are Frechet distances between Gaussians fitted to the frames of log-mel spectra, in "
    "dB^2; they are not FAD, which takes the features of a trained network."
)


def impute(model: Model, stems: Samples, target: int, quality: str) -> Samples:
    """Impute one stem from the others, ``[S, T] -> [T]``."""
    names = model.spec.stems
    given = {name: stems[index] for index, name in enumerate(names) if index != target}
    wanted = [names[target]]
    imputed = model.impute(given, model.spec.sample_rate, targets=wanted, quality=quality)
    return imputed[names[target]]


def generate(model: Model, seed: int, seconds: float, quality: str) -> Samples:
    """Generate stems, ``-> [S, T]``."""
    generated = model.generate(seconds, seed=seed, quality=quality)
    return np.concatenate([generated[name] for name in model.spec.stems])


def compare(measure: Callable[[T, T], float], signals: list[T], given: list[T]) -> str:
    """Agreement with the own song, with the others, and the probability of that by chance."""
    table = np.array([[measure(x, y) for y in given] for x in signals])
    own = table.diagonal()
    others = (table.sum(1) - own) / max(1, len(table) - 1)
    heard = np.isfinite(own)
    own, others = own[heard], others[heard]
    return f"{own.mean():.3f} / {others.mean():.3f} ({measure_chance(own, others):.1g})"


def describe(signals: list[Samples], truth: list[Samples]) -> list[str]:
    """Level, silence, pulse, and distance from the truth."""
    return [
        f"{np.mean([level_db(x) for x in signals]):.1f}",
        f"{np.mean([measure_silence(x) for x in signals]):.2f}",
        f"{np.mean([measure_pulse(x) for x in signals]):.2f}",
        f"{frechet_distance(log_mel(signals), log_mel(truth)):.0f}",
    ]


def add_imputations(report: Report, model: Model, truth: list[Samples], quality: str) -> None:
    """Add the table of imputed stems."""
    report.write(
        "Each stem imputed from the other three. Onsets, chroma and chord tones: agreement with "
        "its own song / with other songs (p)."
    )
    figures = (
        "onsets",
        "onsets of the true stem",
        "chroma",
        "chroma of the true stem",
        "chord tones",
        "chord tones of the true stem",
    )
    report.begin_table("stem", *figures, "level, dB", "silence", "pulse", "distance")
    for target, name in enumerate(model.spec.stems):
        imputed = [impute(model, stems, target, quality) for stems in truth]
        real = [stems[target] for stems in truth]
        given = [stems.sum(0) - stems[target] for stems in truth]
        cells = [
            compare(measure, signals, given)
            for measure in (measure_onset_agreement, measure_chroma_agreement)
            for signals in (imputed, real)
        ]
        cells += compare_chord_tones(model, truth, target, (imputed, real))
        report.row(name, *cells, *describe(imputed, real))


def compare_chord_tones(
    model: Model, truth: list[Samples], target: int, stems: tuple[list[Samples], ...]
) -> list[str]:
    """Agreement of notes with those of the given stems; of drums none."""
    names = model.spec.stems
    if names[target] == DRUMS:
        return ["-"] * len(stems)
    pitched = [i for i, name in enumerate(names) if i != target and name != DRUMS]
    given = [find_roll(song[pitched].sum(0)) for song in truth]
    return [compare(measure_chord_tones, [find_roll(x) for x in part], given) for part in stems]


def add_generations(report: Report, model: Model, truth: list[Samples], quality: str) -> None:
    """Add the table of generated stems, beside true ones."""
    seconds = truth[0].shape[1] / model.spec.sample_rate
    generated = [generate(model, seed, seconds, quality) for seed in range(len(truth))]
    report.begin_table("generated", "level, dB", "silence", "pulse", "distance")
    for index, name in enumerate(model.spec.stems):
        real = [stems[index] for stems in truth]
        report.row(name, *describe([stems[index] for stems in generated], real))
        report.row(f"{name}, true", *describe(real, real))


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    seconds: Annotated[float, typer.Option(help="Length of each.")] = 11.8,
    limit: Annotated[
        int | None, typer.Option(help="Only so many songs, and as many generations.")
    ] = None,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "default",
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    model = load_model(device="cpu")
    truth = [load_middle(folder, seconds) for folder in list_songs(songs)[:limit]]
    report = Report(
        f"Imputation and generation on {len(truth)} held-out songs of {seconds:g} s, quality "
        f"{quality}, by `python -m scripts.bench.prior`.",
        DISTANCE,
    )
    add_imputations(report, model, truth, quality)
    add_generations(report, model, truth, quality)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
