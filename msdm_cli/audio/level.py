"""How loud a song is, and the gain that brings it to the level that a model was trained at.

A network that is trained at one level knows only that: a song 50 dB quieter was separated 11 dB
worse. The gain is a power of two, which changes no mantissa: the same song, 6 dB quieter, has the
same stems, 6 dB quieter, to the last bit.
"""

import math

import numpy as np
from numpy.typing import NDArray

SILENT_RMS = 1e-6
"""Below this, -120 dB, a song is silent: it has no level."""


class LevelMeter:
    """Measures the level of a sound that comes in blocks."""

    def __init__(self) -> None:
        self._energy = 0.0
        self._samples = 0

    def push(self, block: NDArray[np.float32]) -> None:
        """Add samples, ``[C, n]``."""
        self._energy += float(np.square(block, dtype=np.float64).sum())
        self._samples += block.size

    @property
    def rms(self) -> float:
        """Root mean square of all samples; full scale is 1."""
        return math.sqrt(self._energy / max(self._samples, 1))


def fit_level(rms: float, level_db: float) -> float:
    """The power of two that brings a level nearest to another.

    Args:
        rms: Root mean square of a song.
        level_db: The level wanted, in dB relative to full scale.

    Returns:
        A factor; 1 for silence.
    """
    if rms < SILENT_RMS:
        return 1.0
    return 2.0 ** round(math.log2(10 ** (level_db / 20) / rms))
