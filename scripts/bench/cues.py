"""Whether the long-term spectrum alone tells a guitar from a piano, which it should not.

    python -m scripts.bench.cues DATA/train
    python -m scripts.bench.cues DATA/train --others WIDE/validation

Where it does, a separator learns to go by brightness, and calls a dull guitar a piano. A linear
discriminant is fitted to the spectra of stems, in third-octaves relative to their level; it names
the stems of songs that it was not fitted to. Chance is 50 %.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.representations.sketch import BANDS, HOP, MARGIN, find_sketch
from scripts.bench.naming import PAIR
from scripts.bench.report import OutputOption, Report
from scripts.songs import STEMS, list_songs, load_middle

SEMITONES = 4
"""Of a third-octave."""

SILENT_RMS = 3e-3
"""Of a stem that hardly plays: -50 dB."""

FOLDS = 5
SHRINKAGE = 0.1
"""Share of the identity in the covariance, in units of its mean variance."""

Array = NDArray[np.float64]


def find_spectrum(stem: Samples) -> Array:
    """Levels of third-octaves in dB relative to their mean, ``[T] -> [BANDS / SEMITONES]``."""
    frames = len(stem) // HOP
    powers = 10.0 ** find_sketch(np.pad(stem[: frames * HOP], MARGIN)).astype(np.float64)
    levels = 10 * np.log10(powers.mean(1).reshape(BANDS // SEMITONES, SEMITONES).mean(1) + 1e-9)
    return np.asarray(levels - levels.mean())


def load_spectra(songs: list[Path], seconds: float) -> tuple[Array, NDArray[np.int_]]:
    """Spectra of the guitars and pianos that sound, ``[N, bands]``, and their song and name.

    Returns:
        Spectra, and rows of the song's number and the stem's index in ``PAIR``, ``[N, 2]``.
    """
    spectra, labels = [], []
    for number, song in enumerate(songs):
        stems = load_middle(song, seconds)
        for index, name in enumerate(PAIR):
            stem = stems[STEMS.index(name)]
            if np.sqrt(np.square(stem).mean()) > SILENT_RMS:
                spectra.append(find_spectrum(stem))
                labels.append((number, index))
    return np.array(spectra), np.array(labels)


def fit(spectra: Array, names: NDArray[np.int_]) -> tuple[Array, float]:
    """Fisher's linear discriminant: weights ``[bands]`` and threshold; above it the second name."""
    means = [spectra[names == index].mean(0) for index in (0, 1)]
    centred = spectra - np.array(means)[names]
    covariance = np.cov(centred.T)
    covariance += SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    weights = np.linalg.solve(covariance, means[1] - means[0])
    return weights, float(weights @ (means[0] + means[1]) / 2)


def count_right(
    discriminant: tuple[Array, float], spectra: Array, names: NDArray[np.int_]
) -> list[float]:
    """Which names are right, as 0 or 1."""
    weights, threshold = discriminant
    return list(((spectra @ weights > threshold) == names).astype(float))


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    others: Annotated[Path | None, typer.Option(help="Songs that are named after these.")] = None,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 40.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs of each.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    spectra, labels = load_spectra(list_songs(songs)[:limit], seconds)
    numbers, names = labels.T
    right: list[float] = []
    for fold in range(FOLDS):
        held = numbers % FOLDS == fold
        right += count_right(fit(spectra[~held], names[~held]), spectra[held], names[held])
    rows = [(songs.name, len(right), f"{100 * np.mean(right):.0f} %")]
    if others:
        found, named = load_spectra(list_songs(others)[:limit], seconds)
        right = count_right(fit(spectra, names), found, named[:, 1])
        rows.append((others.name, len(right), f"{100 * np.mean(right):.0f} %"))
    report = Report(
        f"Guitars and pianos named by their spectra over {seconds:g} s alone, in songs that the "
        "guess was not fitted to, by `python -m scripts.bench.cues`. Chance is 50 %."
    )
    report.table(("songs", "stems", "named right"), rows)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
