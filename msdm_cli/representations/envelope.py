"""The envelope of a sound: its power in 15 bands of half an octave, every 6 ms.

A sketch says which semitones sound, and when only roughly: its windows are 46 ms long, and 186 ms
for its low bands, so an attack that is made of a sketch is a slope. The window of an envelope is
23 ms. Its frames begin with those of a sketch; there are four to one.

Values are decimal logarithms of power densities, as in a sketch: white noise of standard deviation
1 has 0 in every band.

Source: a sound that gets the powers of another, band by band, is that of a vocoder (Dudley 1939).
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.stft import Stft
from msdm_cli.representations.sketch import HOP

Array = NDArray[np.float32]

WINDOW = 512
STEP = 128
STEPS_PER_FRAME = HOP // STEP
"""Frames of an envelope in a frame of a sketch."""

EDGES = (0, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, WINDOW // 2 + 1)
"""First bin of each band, of 43 Hz each, and the end of the last."""

ENVELOPE_BANDS = len(EDGES) - 1
LOWEST = -7.0
"""What is 70 dB or more below white noise of standard deviation 1 counts as silent."""

MOST_UP_DB = 20.0
MOST_DOWN_DB = 30.0

FLUTTER_DB = 6.0
"""Smaller differences are made up for in part: noise and beats of harmonics flutter, and a guessed
envelope does not."""

FINE = Stft(WINDOW, STEP)


def find_envelope(stems: NDArray[np.floating[Any]]) -> Array:
    """The envelope of sounds with silence before and after them, at least ``LOWEST``.

    Shape:
        ``[..., T] -> [..., ENVELOPE_BANDS, T / STEP]``, T a multiple of ``STEP``
    """
    return _measure(FINE(stems)).swapaxes(-1, -2)


def impose(stems: Array, envelope: NDArray[np.floating[Any]]) -> Array:
    """Move the power of each band and frame to that of an envelope.

    Windows overlap, so what is imposed is not reached exactly.

    Args:
        stems: Sounds, with silence before and after them.
        envelope: What is wanted.

    Shape:
        ``[S, T], [S, ENVELOPE_BANDS, T / STEP] -> [S, T]``
    """
    transform = FINE(stems)
    wanted = np.maximum(envelope, LOWEST).swapaxes(-1, -2)
    missing_db = 10 * (wanted - _measure(transform))
    missing_db *= np.minimum(abs(missing_db) / FLUTTER_DB, 1)
    gain_db = np.clip(missing_db, -MOST_DOWN_DB, MOST_UP_DB) @ _spread_gains()
    change = transform * (10 ** (gain_db / 20) - 1).astype(np.float32)
    return (stems + FINE.inverse(change)).astype(np.float32)


def _measure(transform: NDArray[np.complexfloating[Any, Any]]) -> Array:
    """Power of each band, ``[..., frames, bins] -> [..., frames, ENVELOPE_BANDS]``."""
    power = transform.real**2 + transform.imag**2
    sums = np.add.reduceat(power, EDGES[:-1], -1) / np.diff(EDGES)
    return np.log10(np.maximum(sums, 10.0**LOWEST)).astype(np.float32)


@cache
def _spread_gains() -> Array:
    """The part of each band in the gain of a bin, ``[ENVELOPE_BANDS, bins]``: linear between."""
    centres = (np.array(EDGES[:-1]) + np.array(EDGES[1:]) - 1) / 2
    bins = np.arange(WINDOW // 2 + 1)
    parts = [np.interp(bins, centres, row) for row in np.eye(ENVELOPE_BANDS)]
    return np.stack(parts).astype(np.float32)
