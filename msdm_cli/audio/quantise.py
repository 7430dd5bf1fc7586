"""Stems in integers whose sum is the song's integers."""

import numpy as np
from numpy.typing import NDArray


def quantise_to_sum(stems: NDArray[np.float64], song: NDArray[np.float64], bits: int) -> tuple[NDArray[np.int32], int]:
    """Round stems so that they sum to the song, sample by sample.

    The running sums over the stems are rounded, and their differences are the stems: the last running sum is the song,
    and each stem's rounding error is carried on to the next. No stem moves by more than a unit, a silent one not at
    all, unless one beyond full scale has to be clipped: the others then take up what it lost, each as far as full
    scale lets it.

    Args:
        stems: Stems, which sum to the song but for rounding.
        song: The song; a lossy one may lie between the units, and beyond full scale, which only stems need to keep.
        bits: Bits of a sample, 16 or 24.

    Returns:
        Integers that fill 32 bits (the lowest ``32 - bits`` are zero), and how many samples were clipped.

    Shape:
        ``[S, C, n], [C, n] -> [S, C, n]``
    """
    scale = float(1 << (bits - 1))
    sums = np.rint(np.cumsum(stems, axis=0) * scale)
    target = np.rint(song * scale)
    sums[-1] = target
    rounded = np.diff(sums, axis=0, prepend=0)
    clipped = np.clip(rounded, -scale, scale - 1)
    count = int(np.count_nonzero(clipped != rounded))
    if count:
        for stem in clipped:
            moved = np.clip(stem + target - clipped.sum(0), -scale, scale - 1)
            stem[:] = moved
    return (clipped.astype(np.int64) << (32 - bits)).astype(np.int32), count
