"""Separation by someone who knows the answer: what masks of the mixture could reach at best.

Source: ideal binary and ideal ratio masks as in the signal separation evaluation campaigns (Stoter et al. 2018, arXiv
1804.06267), with the power of the stems.
"""

import torch
from torch import Tensor

from msdm_cli.diffusion.stft import Stft

N_FFT, HOP = 2048, 512


def separate_by_mask(stems: Tensor, *, binary: bool) -> Tensor:
    """Mask the mixture with the ideal mask of each stem.

    Args:
        stems: True stems.
        binary: Give each bin to the loudest stem; otherwise share it out by power.

    Shape:
        ``[S, T] -> [S, T]``
    """
    stft = Stft(N_FFT, HOP)
    length = stems.shape[-1]
    parts = stft(torch.nn.functional.pad(stems, (0, -length % HOP)))
    power = parts.square().sum(1, keepdim=True)
    if binary:
        mask = torch.nn.functional.one_hot(power.argmax(0), len(stems)).movedim(-1, 0).to(stems.dtype)
    else:
        mask = (power + 1e-12) / (power + 1e-12).sum(0)
    return stft.inverse(mask * parts.sum(0))[:, :length]
