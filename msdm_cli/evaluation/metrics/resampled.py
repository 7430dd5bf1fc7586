"""Stems at the rate of a network that judges them."""

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import ArraySource
from msdm_cli.diffusion.denoiser import Samples

RATE_HZ = 16000
"""The rate of VGGish and of wav2vec 2.0."""


def resample_stems(stems: Samples, sample_rate: int) -> NDArray[np.float32]:
    """Stems at ``RATE_HZ``, ``[S, T] -> [S, T']``."""
    source = ArraySource(np.asarray(stems, np.float32), sample_rate, "stems")
    with source.open() as reader:
        windows = SongWindows(reader, RATE_HZ)
        return windows.read(0, windows.total)


def list_sounding(stems: Samples, estimate: Samples) -> list[int]:
    """Indices of the stems that sound somewhere, in truth and as estimated."""
    pairs = zip(stems, estimate, strict=True)
    return [index for index, pair in enumerate(pairs) if all(map(np.any, pair))]
