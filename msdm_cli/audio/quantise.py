"""Samples as integers: one signal, or stems whose sum is the song's integers."""

import numpy as np
from numpy.typing import NDArray


def quantise_to_sum(
    stems: NDArray[np.float64], song: NDArray[np.float64], bits: int
) -> tuple[NDArray[np.int32], int]:
    """Round stems so that they sum to the song, sample by sample.

    The running sums over the stems are rounded, and their differences are the stems. The last
    running sum is the song, and each stem's rounding error is carried to the next stem. No stem
    moves by more than a unit, and a silent one not at all. If a stem has to be clipped at full
    scale, the others take what it lost, each as far as full scale allows.

    Args:
        stems: Stems, which sum to the song but for rounding.
        song: The song. A lossy one may lie between units and beyond full scale.
        bits: Bits of a sample, 16 or 24.

    Returns:
        Integers that fill 32 bits (the lowest ``32 - bits`` are zero), and how many were clipped.

    Shape:
        ``[S, C, n], [C, n] -> [S, C, n]``
    """
    scale = float(1 << (bits - 1))
    target = np.rint(song * scale)
    rounded = np.empty_like(stems)
    running = np.zeros(song.shape)
    before = np.zeros(song.shape)
    for stem, out in zip(stems[:-1], rounded, strict=False):
        running += stem
        now = np.rint(running * scale)
        np.subtract(now, before, out=out)
        before = now
    np.subtract(target, before, out=rounded[-1])
    beyond = int(np.count_nonzero((rounded < -scale) | (rounded > scale - 1)))
    if beyond:
        np.clip(rounded, -scale, scale - 1, out=rounded)
        for stem in rounded:
            stem[:] = np.clip(stem + target - rounded.sum(0), -scale, scale - 1)
    return rounded.astype(np.int32) << (32 - bits), beyond


def quantise(signal: NDArray[np.float64], bits: int) -> tuple[NDArray[np.int32], int]:
    """Round one signal, clipped at full scale.

    Returns:
        Integers that fill 32 bits, and how many were clipped.
    """
    scale = float(1 << (bits - 1))
    rounded = np.rint(signal * scale)
    beyond = int(np.count_nonzero((rounded < -scale) | (rounded > scale - 1)))
    return np.clip(rounded, -scale, scale - 1).astype(np.int32) << (32 - bits), beyond
