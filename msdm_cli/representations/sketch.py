"""The sketch of a sound: which semitones sound when, and how loud, without phases.

A sketch has the power of 96 bands of a semitone, from E1 upwards, in frames of 23 ms. Frame j
stands for the samples from ``512 j`` to ``512 (j + 1)`` and is centred on them. Below 660 Hz the
window is long, because bass needs pitch; above it is short, because drums need time.

A band's power is the mean power density around its semitone: that of white noise of standard
deviation 1 is 1 in every band. Sketches hold its decimal logarithm, so a level change of 10 dB adds
1, and a transposition by a semitone moves the bands by one.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

BANDS = 96
SAMPLE_RATE_HZ = 22050
LOWEST_HZ = 41.2
"""Centre of the lowest band: E1, the lowest string of a bass."""

HOP = 512
"""Samples of a frame."""

LONG_WINDOW = 4096
SHORT_WINDOW = 1024
LOW_BANDS = 48
"""Bands from the long window."""

MARGIN = (LONG_WINDOW - HOP) // 2
"""Samples before and after a stretch of sound that its sketch needs."""

FLOOR = -8.0
"""Lowest value: 80 dB below white noise of standard deviation 1."""

CEILING = 3.0
"""Highest value of a sound of full scale: a square wave has up to 2.9."""


def find_sketch(x: Array) -> NDArray[np.float32]:
    """The sketch of sounds at 22 050 Hz.

    Args:
        x: Sounds with ``MARGIN`` samples before and after what is wanted, zeros where there are
            none.

    Returns:
        Decimal logarithms of the power of each band and frame, at least ``FLOOR``.

    Shape:
        ``[..., MARGIN + T + MARGIN] -> [..., BANDS, T / HOP]``, T a multiple of ``HOP``.
    """
    length = x.shape[-1] - 2 * MARGIN
    if length < HOP or length % HOP:
        raise ValueError(f"expected a multiple of {HOP} samples and two margins, got {x.shape[-1]}")
    frames = length // HOP
    low = _find_powers(x, LONG_WINDOW, HOP, 0, frames)
    inside = (LONG_WINDOW - SHORT_WINDOW - HOP // 2) // 2
    high = _find_powers(x, SHORT_WINDOW, HOP // 2, inside, 2 * frames)
    halves = high.reshape(*high.shape[:-1], frames, 2).mean(-1)
    power = np.concatenate((low[..., :LOW_BANDS, :], halves[..., LOW_BANDS:, :]), -2)
    return np.log10(np.maximum(power, 10.0**FLOOR)).astype(np.float32)


def _find_powers(x: Array, window: int, hop: int, first: int, count: int) -> Array:
    """Power of each band in ``count`` frames, the first from sample ``first``."""
    taper = np.hanning(window + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(x, window, -1)[..., first::hop, :]
    spectrum = np.fft.rfft(frames[..., :count, :] * taper)
    density = (spectrum.real**2 + spectrum.imag**2) / np.square(taper).sum()
    return np.moveaxis(density @ weigh_bands(window).T, -1, -2)


@cache
def weigh_bands(window: int) -> NDArray[np.float32]:
    """Weights of the bins in each band, ``[BANDS, bins]``; they sum to 1.

    A band is a triangle that ends at its neighbours' centres, or where that is narrower than the
    window can resolve, at 1.5 bins from its centre.
    """
    bins = np.fft.rfftfreq(window, 1 / SAMPLE_RATE_HZ)
    centres = LOWEST_HZ * 2 ** (np.arange(-1, BANDS + 1) / 12)
    width = 1.5 * SAMPLE_RATE_HZ / window
    below, centre, above = (centres[start : start + BANDS, None] for start in range(3))
    rising = (bins - np.minimum(below, centre - width)) / np.maximum(centre - below, width)
    falling = (np.maximum(above, centre + width) - bins) / np.maximum(above - centre, width)
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
