"""Answers of a network to the same music, moved.

Music that plays a moment later, slightly slower, or with reversed polarity has the same stems,
moved in the same way. A network answers slightly differently, because its frames and bands fall on
other parts of the music. That difference is its own error, so the mean over several answers is
nearer to the truth than each answer.

Source: the "shift trick" of Demucs, arXiv 1911.13254.
"""

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, Samples

SHIFT = 600
"""Delay from one answer to the next, in samples (27 ms); not a multiple of a hop or a token."""

SLOWNESS = (1.0, 1.06, 0.94)
"""Duration of the music in successive answers: as it is, a semitone lower, a semitone higher."""


class MovedDenoiser:
    """A denoiser that gets the music later, slower or faster, and every other time reversed.

    Args:
        denoiser: The network.
        index: How far to move; 0 changes nothing.
        length_multiple: The network takes lengths that are multiples of this, in samples.
    """

    def __init__(self, denoiser: Denoiser, index: int, length_multiple: int) -> None:
        self.denoiser = denoiser
        self.index = index
        self.length_multiple = length_multiple
        self.takes_mixture = denoiser.takes_mixture
        self.shares_sigma = denoiser.shares_sigma

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems.

        Samples that leave a chunk at its end enter at its beginning, so at the beginning and the
        end of a song the mean is no better than one answer. An answer to faster music lacks the
        highest twentieth of the frequencies.

        Shape:
            ``[B, S, T], [B, S], [B, T] -> [B, S, T]``, T a multiple of ``length_multiple``
        """
        length = x.shape[-1]
        sign = np.float32((-1) ** self.index)
        shift = self.index * SHIFT
        multiples = round(length / self.length_multiple * SLOWNESS[self.index % len(SLOWNESS)])
        played = max(1, multiples) * self.length_multiple

        def move(signal: Samples) -> Samples:
            return sign * stretch(np.roll(signal, shift, -1), played)

        denoised = self.denoiser(move(x), sigma, None if mixture is None else move(mixture))
        return sign * np.roll(stretch(denoised, length), -shift, -1)


def stretch(x: Samples, length: int) -> Samples:
    """Periodic signals at another speed and so another pitch, ``[..., T] -> [..., length]``.

    The Fourier series stays the same; frequencies above the new Nyquist frequency are lost.
    """
    if x.shape[-1] == length:
        return x
    spectrum = np.fft.rfft(x)[..., : length // 2 + 1]
    return (np.fft.irfft(spectrum, length) * (length / x.shape[-1])).astype(np.float32)
