"""SI-SDR and its improvement over the mixture, by the paper's protocol.

Source: arXiv 2302.02257, section 5; Le Roux et al. 2019, arXiv 1811.02508. As the authors' code has it: windows of 4 s
with a hop of 2 s, no mean removal, eps 1e-8, and a window counts if more than one stem is active in it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

EPS = 1e-8
ACTIVE_NORM_PER_SAMPLE = 1.5e-5
WINDOW_SECONDS, HOP_SECONDS = 4, 2


def si_sdr(estimate: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio, in dB.

    Args:
        estimate: Estimated signal.
        target: True signal.

    Shape:
        ``[..., T], [..., T] -> [...]``
    """
    scale = ((estimate * target).sum(-1) + EPS) / (target.square().sum(-1) + EPS)
    projected = scale[..., None] * target
    error = (projected - estimate).square().sum(-1)
    return 10 * torch.log10((projected.square().sum(-1) + EPS) / (error + EPS))


def is_active(stems: Tensor) -> Tensor:
    """Whether a stem sounds: its 2-norm divided by its length reaches 1.5e-5.

    Shape:
        ``[..., T] -> [...]``
    """
    return stems.norm(dim=-1) / stems.shape[-1] >= ACTIVE_NORM_PER_SAMPLE


@dataclass(frozen=True)
class WindowScores:
    """SI-SDRi of the counted windows of a song.

    Attributes:
        improvement: SI-SDRi in dB, ``[windows, S]``.
        active: Whether the stem sounds in that window, ``[windows, S]``.
        leak_db: Level of the estimate relative to the mixture in dB, ``[windows, S]``; of interest where not active.
    """

    improvement: Tensor
    active: Tensor
    leak_db: Tensor


def score_windows(estimate: Tensor, stems: Tensor, sample_rate: int) -> WindowScores:
    """Score a separated song window by window.

    Args:
        estimate: Estimated stems.
        stems: True stems, whose sum is the mixture.
        sample_rate: In hertz.

    Shape:
        ``[S, T], [S, T] -> [windows, S]``, windows with at most one active stem left out.
    """
    size, hop = WINDOW_SECONDS * sample_rate, HOP_SECONDS * sample_rate
    targets = stems.unfold(-1, size, hop).transpose(0, 1)
    estimates = estimate.unfold(-1, size, hop).transpose(0, 1)
    active = is_active(targets)
    counted = active.sum(1) > 1
    targets, estimates, active = targets[counted], estimates[counted], active[counted]
    mixture = targets.sum(1, keepdim=True)
    improvement = si_sdr(estimates, targets) - si_sdr(mixture.expand_as(targets), targets)
    power = estimates.square().sum(-1) + EPS
    leak_db = 10 * torch.log10(power / (mixture.square().sum(-1) + EPS))
    return WindowScores(improvement, active, leak_db)
