"""The same music, moved: what a network answers differently then is its own error, and averages
out.

A song that plays a moment later, a little slower, or with its polarity reversed, has the same
stems, moved alike. A
network is not quite as indifferent: its frames and bands lie elsewhere in the music. The mean over
several answers is nearer to the truth than each (the "shift trick" of Demucs, arXiv 1911.13254).
"""

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, Samples

SHIFT = 600
"""Samples from one answer to the next, 27 ms: out of step with the embedded network's hop and tokens."""

SLOWNESS = (1.0, 1.06, 0.94)
"""How much longer the music lasts in one answer after the other; a semitone down, and one up."""


class MovedDenoiser:
    """A denoiser that hears everything later, slower or faster, and every other time with reversed
    polarity.

    Args:
        denoiser: The network.
        index: How often to move; 0 leaves everything as it is.
        length_multiple: What the network takes lengths in multiples of, in samples.
    """

    def __init__(self, denoiser: Denoiser, index: int, length_multiple: int) -> None:
        self.denoiser, self.index, self.length_multiple = denoiser, index, length_multiple
        self.takes_mixture, self.shares_sigma = denoiser.takes_mixture, denoiser.shares_sigma

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems; what is pushed out at the end comes in at the beginning.

        Where a song begins and ends, the mean is therefore no better than one answer. An answer to
        faster music lacks the highest twentieth of the frequencies.

        Shape:
            ``[B, S, T], [B, S], [B, T] -> [B, S, T]``, T a multiple of ``length_multiple``
        """
        sign, shift, length = np.float32((-1) ** self.index), self.index * SHIFT, x.shape[-1]
        multiples = round(length / self.length_multiple * SLOWNESS[self.index % len(SLOWNESS)])
        played = max(1, multiples) * self.length_multiple

        def move(signal: Samples) -> Samples:
            return sign * stretch(np.roll(signal, shift, -1), played)

        denoised = self.denoiser(move(x), sigma, None if mixture is None else move(mixture))
        return sign * np.roll(stretch(denoised, length), -shift, -1)


def stretch(x: Samples, length: int) -> Samples:
    """Play periodic signals slower or faster, and so lower or higher, by their Fourier series: ``[..., T]``."""
    if x.shape[-1] == length:
        return x
    spectrum = np.fft.rfft(x)[..., : length // 2 + 1]
    return (np.fft.irfft(spectrum, length) * (length / x.shape[-1])).astype(np.float32)
