"""How loud a song is, and the gain that brings it to the level that a model was trained at.

A network that is trained at one level knows only that: a song 50 dB quieter was separated 11 dB
worse. The gain is a power of two, which changes no mantissa: the same song, 6 dB quieter, has the
same stems, 6 dB quieter, to the last bit.
"""

import math

import numpy as np

from msdm_cli.audio.source import AudioSource, read_all

READ_FRAMES = 1 << 16
SILENT_RMS = 1e-6
"""Below this, -120 dB, a song is silent: it has no level."""


def measure_rms(source: AudioSource) -> float:
    """Root mean square of all samples; full scale is 1.

    Raises:
        AudioError: The sound cannot be decoded.
    """
    energy = 0.0
    for block in read_all(source, READ_FRAMES):
        energy += float(np.square(block, dtype=np.float64).sum())
    return math.sqrt(energy / (source.properties.frames * source.properties.channels))


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
