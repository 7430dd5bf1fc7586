"""Sounds that are made to agree with a sketch.

What is wrong with the power of each band and frame can be measured, and mended by a gain. That is a
projection, as that of stems onto their mixture, but approximate, since bands overlap.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.stft import Stft, Transform
from msdm_cli.representations.sketch import (
    BANDS,
    FLOOR,
    HOP,
    LONG_WINDOW,
    LOW_BANDS,
    LOWEST_HZ,
    SAMPLE_RATE_HZ,
    SHORT_WINDOW,
    weigh_bands,
)

Array = NDArray[np.float32]

MOST_UP_DB = 20.0
"""Largest gain: what is far too quiet is louder after several times."""

MOST_DOWN_DB = 30.0

SILENT = FLOOR + 0.5
"""Power in bels that is subtracted from what a sketch wants, so that silence stays silent.

The floor of a sketch is 80 dB below white noise of standard deviation 1. A silent sketch lies
there, and up to 5 dB higher after it has passed through codes.
"""

STEEPNESS = 16
"""How fast the long window hands over to the short one: 48 dB an octave."""

LONG = Stft(LONG_WINDOW, HOP)
SHORT = Stft(SHORT_WINDOW, HOP // 2)

CROSSING_HZ = LOWEST_HZ * 2 ** ((LOW_BANDS - 0.5) / 12)
LONG_BINS = int(2 * CROSSING_HZ / SAMPLE_RATE_HZ * LONG_WINDOW)
"""Bins of the long window that matter: up to an octave above the crossing."""


def agree(stems: Array, sketch: NDArray[np.floating[Any]]) -> Array:
    """Move the power of each band and frame to that of a sketch.

    Args:
        stems: Sounds, with silence before and after them.
        sketch: What is wanted, as ``find_sketch`` gives it.

    Shape:
        ``[S, T], [S, BANDS, T / HOP] -> [S, T]``
    """
    low = LONG(stems)[..., :LONG_BINS]
    high = SHORT(stems)
    found = np.concatenate((_find_low(low), _find_high(high)), -1)
    # A logarithm needs more than 0.
    wanted = np.maximum(10.0 ** sketch.swapaxes(-1, -2) - 10.0**SILENT, 10.0 ** (2 * FLOOR))
    missing_db = 10 * (np.log10(wanted) - np.log10(np.maximum(found, 10.0**FLOOR)))
    gain_db = np.clip(missing_db, -MOST_DOWN_DB, MOST_UP_DB).astype(np.float32)

    change = np.zeros((*low.shape[:-1], LONG_WINDOW // 2 + 1), np.complex64)
    change[..., :LONG_BINS] = low * _find_change(gain_db, LONG_WINDOW)[..., :LONG_BINS]
    halves = np.repeat(_find_change(gain_db, SHORT_WINDOW), 2, -2)
    moved = stems + LONG.inverse(change) + SHORT.inverse(high * halves)
    return moved.astype(np.float32)


def _find_low(transform: Transform) -> Array:
    """Power of the low bands, ``[..., frames, bins] -> [..., frames, LOW_BANDS]``."""
    power = transform.real**2 + transform.imag**2
    return np.asarray(power @ weigh_bands(LONG_WINDOW)[:LOW_BANDS, :LONG_BINS].T, np.float32)


def _find_high(transform: Transform) -> Array:
    """Power of the other bands, ``[..., 2 * frames, bins] -> [..., frames, BANDS - LOW_BANDS]``."""
    power = transform.real**2 + transform.imag**2
    halves = np.asarray(power @ weigh_bands(SHORT_WINDOW)[LOW_BANDS:].T, np.float32)
    return halves.reshape(*halves.shape[:-2], -1, 2, BANDS - LOW_BANDS).mean(-2)


def _find_change(gain_db: Array, window: int) -> Array:
    """What a window adds to each bin, as a share of it, ``[..., BANDS] -> [..., bins]``."""
    spread, share = _spread_gains(window)
    return ((10 ** (gain_db @ spread / 20) - 1) * share).astype(np.float32)


@cache
def _spread_gains(window: int) -> tuple[Array, Array]:
    """The part of each band in the gain of a bin, ``[BANDS, bins]``, and of the window in it."""
    bins = np.fft.rfftfreq(window, 1 / SAMPLE_RATE_HZ)
    heights = weigh_bands(window) / weigh_bands(window).max(1, keepdims=True)
    heights[0, bins < LOWEST_HZ] += 1e-3
    heights[-1, bins > LOWEST_HZ] += 1e-3
    below = 1 / (1 + (bins / CROSSING_HZ) ** STEEPNESS)
    share = below if window == LONG_WINDOW else 1 - below
    return (heights / heights.sum(0)).astype(np.float32), share.astype(np.float32)
