"""MAPSS: how far a stem is from other stems (PS), and how near to the true one (PM).

Both are from 0 to 1, and 1 is best. The package mapss computes them in frames of 20 ms in which
more than one stem sounds, from wav2vec 2.0 Large, with the paper's settings. The figures are means
over those frames, and over songs. A song of minutes takes hours on a CPU.

Source: Ivry, Cornell, Watanabe 2025, arXiv 2509.09212.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.metric import (
    Column,
    Figures,
    Metric,
    Package,
    SeparatedSong,
    average,
)
from msdm_cli.evaluation.metrics.resampled import RATE_HZ, list_sounding, resample_stems

MODEL = "wav2vec2"
SHORTEST_SECONDS = 0.4
"""mapss first measures loudness, in blocks of this length."""

NOTHING = (float("nan"), float("nan"))


@dataclass(frozen=True)
class MapssRow:
    """One stem of one song.

    Attributes:
        method: What made the estimates.
        song: Name of the song.
        stem: Name of the stem.
        ps: Perceptual separation, 0 to 1; NaN if the stem never sounds together with another.
        pm: Perceptual match, 0 to 1; NaN likewise.
    """

    method: str
    song: str
    stem: str
    ps: float
    pm: float


def load_network() -> None:
    """Fetch wav2vec 2.0 Large if it is not here, and see that it loads."""
    from mapss.config import MODEL_DEFAULT_LAYER
    from mapss.models import cleanup_all_models, load_model

    load_model(MODEL, MODEL_DEFAULT_LAYER[MODEL])
    cleanup_all_models()


def measure_mapss(estimate: Samples, stems: Samples, sample_rate: int) -> list[tuple[float, float]]:
    """PS and PM of each stem.

    Args:
        estimate: Estimated stems.
        stems: True stems.
        sample_rate: In hertz.

    Shape:
        ``[S, T], [S, T] -> S pairs``
    """
    from mapss import mapss

    measured = [NOTHING] * len(stems)
    sounding = list_sounding(stems, estimate)
    truth, guess = (resample_stems(part, sample_rate) for part in (stems, estimate))
    if len(sounding) < 2 or truth.shape[1] < SHORTEST_SECONDS * RATE_HZ:
        return measured
    try:
        found = mapss(
            truth[sounding], guess[sounding], sample_rate=RATE_HZ, model=MODEL, add_ci=False
        )
    except RuntimeError as error:
        if "no valid frames" in str(error):
            return measured
        raise
    for index, row in zip(sounding, found.summary.itertuples(), strict=True):
        measured[index] = (float(row.ps), float(row.pm))
    return measured


def score_song(song: SeparatedSong) -> list[MapssRow]:
    """A row for each stem."""
    measured = measure_mapss(song.estimate, song.stems, song.sample_rate)
    return [
        MapssRow(song.method, song.song, stem, ps, pm)
        for stem, (ps, pm) in zip(song.names, measured, strict=True)
    ]


def average_over_songs(rows: Sequence[MapssRow], names: Sequence[str]) -> Figures:
    """The mean PS over songs of each stem; means of PS and PM over all."""
    separation = {name: average([row.ps for row in rows if row.stem == name]) for name in names}
    match = {name: average([row.pm for row in rows if row.stem == name]) for name in names}
    overall = {"ps": average(separation.values()), "pm": average(match.values())}
    return Figures(separation, overall)


MAPSS = Metric(
    name="mapss",
    title="MAPSS, with the PS of stems,",
    unit="shares of 1",
    row=MapssRow,
    score=score_song,
    aggregate=average_over_songs,
    columns={"ps": Column("PS"), "pm": Column("PM")},
    package=Package(
        "mapss",
        "Run pip install mapss-measures, with Python 3.10 to 3.12, in an environment of its own.",
        load=load_network,
        weights="With a network, run this once: python -c "
        "\"from mapss.models import load_model; load_model('wav2vec2', 2)\"",
    ),
)
