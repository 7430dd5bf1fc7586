"""SI-SDR and its improvement over the mixture (SI-SDRi), by the paper's protocol.

Windows of 4 s with a hop of 2 s are scored; the last one may be shorter. A window counts if more
than one stem is active in it. Means are not removed.

Source: arXiv 2302.02257, section 5, and its authors' code; Le Roux et al. 2019, arXiv 1811.02508.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.metric import Column, Figures, Metric, SeparatedSong

EPS = 1e-8
ACTIVE_NORM_PER_SAMPLE = 1.5e-5
WINDOW_SECONDS = 4
HOP_SECONDS = 2


def si_sdr(estimate: Samples, target: Samples) -> Samples:
    """Scale-invariant signal-to-distortion ratio, in dB.

    Args:
        estimate: Estimated signal.
        target: True signal.

    Shape:
        ``[..., T], [..., T] -> [...]``

    Source:
        Le Roux et al. 2019, eq. 3. ``EPS`` keeps silence finite, as in the paper's code.
    """
    # The target times this scale is the projection of the estimate onto the target.
    scale = ((estimate * target).sum(-1) + EPS) / (np.square(target).sum(-1) + EPS)
    projected = scale[..., None] * target
    error = np.square(projected - estimate).sum(-1)
    return 10 * np.log10((np.square(projected).sum(-1) + EPS) / (error + EPS))


def is_active(stems: Samples) -> NDArray[np.bool_]:
    """Whether a stem sounds: its 2-norm divided by its length reaches 1.5e-5.

    Shape:
        ``[..., T] -> [...]``
    """
    return np.linalg.norm(stems, axis=-1) / stems.shape[-1] >= ACTIVE_NORM_PER_SAMPLE


@dataclass(frozen=True)
class WindowScores:
    """SI-SDRi of the counted windows of a song.

    Attributes:
        improvement: SI-SDRi in dB, ``[windows, S]``.
        active: Whether the stem sounds in that window, ``[windows, S]``.
        leak_db: Level of the estimate relative to the mixture in dB, ``[windows, S]``. It says how
            much leaks into the estimate of a stem that is silent.
    """

    improvement: Samples
    active: NDArray[np.bool_]
    leak_db: Samples


def score_windows(estimate: Samples, stems: Samples, sample_rate: int) -> WindowScores:
    """Score a separated song window by window.

    Args:
        estimate: Estimated stems.
        stems: True stems, whose sum is the mixture.
        sample_rate: In hertz.

    Shape:
        ``[S, T], [S, T] -> [windows, S]``, without the windows that have at most one active stem.
    """
    size = WINDOW_SECONDS * sample_rate
    hop = HOP_SECONDS * sample_rate
    count = max(0, math.ceil((stems.shape[-1] - (size - hop)) / hop))
    windows = [slice(index * hop, index * hop + size) for index in range(count)]
    counted = [window for window in windows if is_active(stems[:, window]).sum() > 1]
    rows = [_score_window(estimate[:, window], stems[:, window]) for window in counted]
    if not rows:
        nothing = np.zeros((0, len(stems)), stems.dtype)
        return WindowScores(nothing, nothing.astype(bool), nothing)
    improvement, active, leak_db = (np.stack(column) for column in zip(*rows, strict=True))
    return WindowScores(improvement, active, leak_db)


def _score_window(estimate: Samples, stems: Samples) -> tuple[Samples, NDArray[np.bool_], Samples]:
    """SI-SDRi, activity and level of each stem, ``[S, T], [S, T] -> [S], [S], [S]``."""
    mixture = stems.sum(0, keepdims=True)
    improvement = si_sdr(estimate, stems) - si_sdr(mixture, stems)
    power = np.square(estimate).sum(-1) + EPS
    leak_db = 10 * np.log10(power / (np.square(mixture).sum(-1) + EPS))
    return improvement, is_active(stems), leak_db


@dataclass(frozen=True)
class SiSdrRow:
    """One stem in one counted window.

    Attributes:
        method: What made the estimates.
        song: Name of the song.
        window: Number of the window among those that count.
        stem: Name of the stem.
        active: Whether the stem sounds.
        si_sdri: SI-SDR improvement over the mixture, in dB.
        leak_db: Level of the estimate relative to the mixture, in dB.
    """

    method: str
    song: str
    window: int
    stem: str
    active: bool
    si_sdri: float
    leak_db: float


def score_song(song: SeparatedSong) -> list[SiSdrRow]:
    """A row for each stem in each counted window."""
    scores = score_windows(song.estimate, song.stems, song.sample_rate)
    columns = (scores.active.tolist(), scores.improvement.tolist(), scores.leak_db.tolist())
    return [
        SiSdrRow(song.method, song.song, window, stem, *values)
        for window, rows in enumerate(zip(*columns, strict=True))
        for stem, *values in zip(song.names, *rows, strict=True)
    ]


def average(rows: Sequence[SiSdrRow], names: Sequence[str]) -> Figures:
    """Means over windows: for each stem of those in which it sounds, and over all of them."""
    stems = {
        name: _mean([row.si_sdri for row in rows if row.stem == name and row.active])
        for name in names
    }
    overall = {
        "active": _mean([mean for mean in stems.values() if not math.isnan(mean)]),
        "official": _mean([row.si_sdri for row in rows]),
        "leak_db": _mean([row.leak_db for row in rows if not row.active]),
    }
    return Figures(stems, overall)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


SI_SDR = Metric(
    name="si-sdr",
    title="SI-SDRi",
    unit="dB",
    row=SiSdrRow,
    score=score_song,
    aggregate=average,
    columns={
        "active": Column("active"),
        "official": Column("official"),
        "leak_db": Column("leak", decimals=1),
    },
    file_name="scores.csv",
)
