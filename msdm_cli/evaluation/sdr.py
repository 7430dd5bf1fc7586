"""SDR by BSSEval v4, as the SiSEC campaigns have it: museval computes it.

Source: Stoeter, Liutkus, Ito 2018, arXiv 1804.06267: frames of 1 s that do not overlap, the median over the frames of a
song, then the median over songs. A frame in which a stem of the song is silent does not count.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import BackendUnavailable


@dataclass(frozen=True)
class SongSdr:
    """One stem of one song.

    Attributes:
        method: What separated it.
        song: Name of the song's folder.
        stem: Name of the stem.
        sdr_db: Median SDR over its frames; NaN if none counts.
    """

    method: str
    song: str
    stem: str
    sdr_db: float


def measure_sdr(estimate: Samples, stems: Samples, sample_rate: int) -> list[float]:
    """Median SDR of each stem of a song, in dB; NaN for one that is silent throughout, in truth or as estimated.

    Args:
        estimate: Estimated stems.
        stems: True stems.
        sample_rate: In hertz.

    Shape:
        ``[S, T], [S, T] -> S figures``

    Raises:
        BackendUnavailable: museval is not installed, or not what it needs.
    """
    try:
        from museval.metrics import bss_eval
    except (
        ImportError,
        RuntimeError,
    ) as error:  # a module that it imports looks for the programs ffmpeg and ffprobe
        raise BackendUnavailable(
            f"SDR needs museval ({error})",
            "Install it: pip install museval, and ffmpeg from your system.",
        ) from error
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


def summarise_sdr(scores: Iterable[SongSdr], stems: Sequence[str]) -> dict[str, dict[str, float]]:
    """Medians over songs by method and stem, in dB."""
    rows = list(scores)
    return {
        method: {
            stem: _median([row.sdr_db for row in rows if (row.method, row.stem) == (method, stem)])
            for stem in stems
        }
        for method in dict.fromkeys(row.method for row in rows)
    }


def _median(values: Sequence[float]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but NaN
        return float(np.nanmedian(np.asarray(values, np.float64)))
