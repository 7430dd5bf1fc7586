"""The same music, moved: what a network answers differently then is its own error, and averages out.

A song that plays a moment later, or with its polarity reversed, has the same stems, moved alike. A network is not quite
as indifferent: its frames lie elsewhere in the music. The mean over several answers is nearer to the truth than each
(the "shift trick" of Demucs, arXiv 1911.13254).
"""

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, Samples

SHIFT = 600
"""Samples from one answer to the next, 27 ms: out of step with the embedded network's hop and tokens."""


class MovedDenoiser:
    """A denoiser that hears everything later, and every other time with reversed polarity.

    Args:
        denoiser: The network.
        index: How often to move; 0 leaves everything as it is.
    """

    def __init__(self, denoiser: Denoiser, index: int) -> None:
        self.denoiser, self.index = denoiser, index
        self.takes_mixture, self.shares_sigma = denoiser.takes_mixture, denoiser.shares_sigma

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems; what is pushed out at the end comes in at the beginning.

        Where a song begins and ends, the mean is therefore no better than one answer.

        Shape:
            ``[B, S, T], [B, S], [B, T] -> [B, S, T]``
        """
        sign, shift = np.float32((-1) ** self.index), self.index * SHIFT
        heard = None if mixture is None else sign * np.roll(mixture, shift, -1)
        return sign * np.roll(self.denoiser(sign * np.roll(x, shift, -1), sigma, heard), -shift, -1)
