"""Separation by someone who knows the answer: what masks of the mixture could reach at best.

Source: ideal binary and ideal ratio masks as in the signal separation evaluation campaigns (Stoter et al. 2018, arXiv
1804.06267), with the power of the stems.
"""

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.stft import Stft

N_FFT, HOP = 2048, 512
POWER_FLOOR = 1e-12


def separate_by_mask(stems: Samples, *, binary: bool) -> Samples:
    """Mask the mixture with the ideal mask of each stem.

    Args:
        stems: True stems.
        binary: Give each bin to the loudest stem; otherwise share it out by power.

    Shape:
        ``[S, T] -> [S, T]``
    """
    stft = Stft(N_FFT, HOP)
    length = stems.shape[-1]
    transform = stft(np.pad(stems, ((0, 0), (0, -length % HOP))))
    power = np.square(transform.real) + np.square(transform.imag) + POWER_FLOOR
    if binary:
        mask = (np.arange(len(stems))[:, None, None] == power.argmax(0)).astype(stems.dtype)
    else:
        mask = power / power.sum(0)
    return stft.inverse(mask * transform.sum(0))[:, :length]
