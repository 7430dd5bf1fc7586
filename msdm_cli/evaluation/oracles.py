"""Separation with knowledge of the true stems: what masks of the mixture could reach at best.

Source: ideal binary and ideal ratio masks as in the signal separation evaluation campaigns
(Stoter et al. 2018, arXiv 1804.06267), with the power of the stems.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.stft import Stft

N_FFT = 2048
HOP = 512
POWER_FLOOR = 1e-12


def separate_by_mask(stems: Samples, *, binary: bool) -> Samples:
    """Mask the mixture with the ideal mask of each stem.

    Args:
        stems: True stems.
        binary: Whether each bin goes to the loudest stem; otherwise stems share it by power.

    Shape:
        ``[S, T] -> [S, T]``
    """
    stft = Stft(N_FFT, HOP)
    length = stems.shape[-1]
    transform = stft(np.pad(stems, ((0, 0), (0, -length % HOP))))
    # The floor shares out silent bins evenly instead of dividing zero by zero.
    power = np.square(transform.real) + np.square(transform.imag) + POWER_FLOOR
    if binary:
        mask = (np.arange(len(stems))[:, None, None] == power.argmax(0)).astype(stems.dtype)
    else:
        mask = power / power.sum(0)
    return stft.inverse(mask * transform.sum(0))[:, :length]


ORACLES: dict[str, Callable[[Samples], Samples]] = {
    "ideal binary mask": partial(separate_by_mask, binary=True),
    "ideal ratio mask": partial(separate_by_mask, binary=False),
}
