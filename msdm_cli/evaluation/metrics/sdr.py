"""SDR by BSSEval v4, which museval computes.

Frames of 1 s do not overlap. The figure of a song is the median over its frames, and the figure of
a method is the median over songs. A frame in which a stem of the song is silent does not count.

Source: Stoeter, Liutkus, Ito 2018, arXiv 1804.06267.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.metric import Figures, Metric, Package, SeparatedSong


@dataclass(frozen=True)
class SdrRow:
    """One stem of one song.

    Attributes:
        method: What made the estimates.
        song: Name of the song.
        stem: Name of the stem.
        sdr_db: Median SDR over its frames, in dB; NaN if none counts.
    """

    method: str
    song: str
    stem: str
    sdr_db: float


def measure_sdr(estimate: Samples, stems: Samples, sample_rate: int) -> list[float]:
    """Median SDR of each stem of a song, in dB.

    It is NaN for a stem that is silent throughout, in truth or as estimated.

    Args:
        estimate: Estimated stems.
        stems: True stems.
        sample_rate: In hertz.

    Shape:
        ``[S, T], [S, T] -> S figures``
    """
    from museval.metrics import bss_eval

    # BSSEval leaves out a frame if any stem is silent in it: one silent stem would void them all.
    sounding = [
        index
        for index, pair in enumerate(zip(stems, estimate, strict=True))
        if all(map(np.any, pair))
    ]
    medians = [float("nan")] * len(stems)
    if not sounding:
        return medians
    truth, guess = (part[sounding][..., None].astype(np.float64) for part in (stems, estimate))
    frames = bss_eval(truth, guess, window=sample_rate, hop=sample_rate)[0]
    for index, figures in zip(sounding, frames, strict=True):
        medians[index] = _median(figures)
    return medians


def score_song(song: SeparatedSong) -> list[SdrRow]:
    """A row for each stem."""
    medians = measure_sdr(song.estimate, song.stems, song.sample_rate)
    return [
        SdrRow(song.method, song.song, stem, sdr_db)
        for stem, sdr_db in zip(song.names, medians, strict=True)
    ]


def median_over_songs(rows: Sequence[SdrRow], names: Sequence[str]) -> Figures:
    """The median over songs of each stem."""
    return Figures(
        {name: _median([row.sdr_db for row in rows if row.stem == name]) for name in names}
    )


def _median(values: Sequence[float]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns where all values are NaN
        return float(np.nanmedian(np.asarray(values, np.float64)))


SDR = Metric(
    name="sdr",
    title="SDR (BSSEval v4)",
    unit="dB",
    row=SdrRow,
    score=score_song,
    aggregate=median_over_songs,
    package=Package("museval", "Run pip install museval, and install ffmpeg on your system."),
)
