"""Stems in integers whose sum is the song's integers."""

import numpy as np
from numpy.typing import NDArray


def quantise_to_sum(stems: NDArray[np.float64], song: NDArray[np.float32], bits: int) -> tuple[NDArray[np.int32], int]:
    """Round stems so that they sum to the song, sample by sample: the method of largest remainders.

    Every stem is rounded down; what is missing from the song is then given, a unit each, to the stems that lost most.
    No stem moves by a whole unit, unless one beyond full scale has to be clipped: the others then take up what it
    lost, each as far as full scale lets it.

    Args:
        stems: Stems, which sum to the song but for rounding.
        song: The song, on the grid of ``bits``.
        bits: Bits of a sample, 16 or 24.

    Returns:
        Integers that fill 32 bits (the lowest ``32 - bits`` are zero), and how many samples were clipped.

    Shape:
        ``[S, C, n], [C, n] -> [S, C, n]``
    """
    scale = float(1 << (bits - 1))
    exact = stems * scale
    floor = np.floor(exact)
    target = np.clip(np.rint(song.astype(np.float64) * scale), -scale, scale - 1)
    missing = target - floor.sum(0)
    rank = np.argsort(np.argsort(floor - exact, axis=0, kind="stable"), axis=0, kind="stable")
    rounded = floor + (rank < missing)
    clipped = np.clip(rounded, -scale, scale - 1)
    count = int(np.count_nonzero(clipped != rounded))
    if count:
        for stem in clipped:
            moved = np.clip(stem + target - clipped.sum(0), -scale, scale - 1)
            stem[:] = moved
    return (clipped.astype(np.int64) << (32 - bits)).astype(np.int32), count
