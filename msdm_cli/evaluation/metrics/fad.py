"""FAD, the Frechet distance between embeddings of true and of estimated stems, by fadtk.

The embeddings are those of VGGish, in windows of 0.96 s. Each song has a distance of its own, and
the figure of a method is the mean over songs. Songs of some minutes have more windows than an
embedding has numbers; in shorter ones all distances are larger. 0 is best.

Source: Kilgour et al. 2019, arXiv 1812.08466; of single songs, Gui et al. 2023, arXiv 2311.01616.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.metric import (
    Column,
    Figures,
    Metric,
    Package,
    SeparatedSong,
    average,
)
from msdm_cli.evaluation.metrics.resampled import list_sounding, resample_stems

FEWEST_WINDOWS = 2
"""Fewer have no covariance."""


@dataclass(frozen=True)
class FadRow:
    """One stem of one song.

    Attributes:
        method: What made the estimates.
        song: Name of the song.
        stem: Name of the stem.
        fad: Distance of its estimate from the truth; NaN if one is silent or too short, or if fadtk
            finds no real root of the product of their covariances.
    """

    method: str
    song: str
    stem: str
    fad: float


@cache
def load_embedder() -> Any:
    """VGGish, which fadtk fetches when it is first used."""
    from fadtk.model_loader import VGGishModel

    embedder = VGGishModel()
    embedder.load_model()
    return embedder


def measure_fad(estimate: Samples, stems: Samples, sample_rate: int) -> list[float]:
    """The distance of each stem.

    Args:
        estimate: Estimated stems.
        stems: True stems.
        sample_rate: In hertz.

    Shape:
        ``[S, T], [S, T] -> S figures``
    """
    distances = [float("nan")] * len(stems)
    truth, guess = (resample_stems(part, sample_rate) for part in (stems, estimate))
    for index in list_sounding(stems, estimate):
        embedded = [_embed(part[index]) for part in (truth, guess)]
        if min(map(len, embedded)) >= FEWEST_WINDOWS:
            distances[index] = _measure_distance(*embedded)
    return distances


def _embed(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Embeddings of windows, ``[T] -> [windows, numbers]``."""
    embedder = load_embedder()
    # fadtk hands them over in half precision, in which sums would overflow.
    found = embedder.get_embedding(embedder.enforce_min_len(samples))
    return np.atleast_2d(np.asarray(found, np.float64))


def _measure_distance(truth: NDArray[np.float64], guess: NDArray[np.float64]) -> float:
    from fadtk.fad import calc_embd_statistics, calc_frechet_distance

    statistics = (*calc_embd_statistics(truth), *calc_embd_statistics(guess))
    with warnings.catch_warnings():
        # fadtk computes a second root to compare, by an option that newer SciPy gives up.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return float(calc_frechet_distance(*statistics))
        except ValueError:  # an imaginary component, or no inverse: covariances of few windows
            return float("nan")


def score_song(song: SeparatedSong) -> list[FadRow]:
    """A row for each stem."""
    distances = measure_fad(song.estimate, song.stems, song.sample_rate)
    return [
        FadRow(song.method, song.song, stem, fad)
        for stem, fad in zip(song.names, distances, strict=True)
    ]


def average_over_songs(rows: Sequence[FadRow], names: Sequence[str]) -> Figures:
    """The mean over songs of each stem, and over all."""
    means = {name: average([row.fad for row in rows if row.stem == name]) for name in names}
    return Figures(means, {"mean": average(means.values())})


FAD = Metric(
    name="fad",
    title="FAD of each song",
    unit="units of VGGish",
    row=FadRow,
    score=score_song,
    aggregate=average_over_songs,
    columns={"mean": Column("mean")},
    package=Package(
        "fadtk",
        "Run pip install fadtk, with Python 3.10 to 3.12, in an environment of its own.",
        load=load_embedder,
        weights="With a network, run this once: python -c "
        '"from fadtk.model_loader import VGGishModel; VGGishModel().load_model()"',
    ),
)
