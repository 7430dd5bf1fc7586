"""SI-SDR and its improvement over the mixture, by the paper's protocol.

Source: arXiv 2302.02257, section 5; Le Roux et al. 2019, arXiv 1811.02508. As the authors' code has it: windows of 4 s
with a hop of 2 s, the last one shorter if need be, no mean removal, eps 1e-8, and a window counts if more than one stem
is active in it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples

EPS = 1e-8
ACTIVE_NORM_PER_SAMPLE = 1.5e-5
WINDOW_SECONDS, HOP_SECONDS = 4, 2


def si_sdr(estimate: Samples, target: Samples) -> Samples:
    """Scale-invariant signal-to-distortion ratio, in dB.

    Args:
        estimate: Estimated signal.
        target: True signal.

    Shape:
        ``[..., T], [..., T] -> [...]``
    """
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
        leak_db: Level of the estimate relative to the mixture in dB, ``[windows, S]``; of interest where not active.
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
        ``[S, T], [S, T] -> [windows, S]``, windows with at most one active stem left out.
    """
    size, hop = WINDOW_SECONDS * sample_rate, HOP_SECONDS * sample_rate
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
    """SI-SDRi, whether it is active, and the level of each stem, ``[S, T], [S, T] -> [S], [S], [S]``."""
    mixture = stems.sum(0, keepdims=True)
    improvement = si_sdr(estimate, stems) - si_sdr(mixture, stems)
    power = np.square(estimate).sum(-1) + EPS
    return improvement, is_active(stems), 10 * np.log10(power / (np.square(mixture).sum(-1) + EPS))
