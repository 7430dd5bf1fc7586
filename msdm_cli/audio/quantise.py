"""Stems in integers whose sum is the song's integers."""

import numpy as np
from numpy.typing import NDArray


def quantise_to_sum(stems: NDArray[np.float64], song: NDArray[np.float32], bits: int) -> NDArray[np.int32]:
    """Round stems so that they sum to the song, sample by sample: the method of largest remainders.

    Every stem is rounded down; what is missing from the song is then given, a unit each, to the stems that lost most.
    No stem moves by a whole unit, unless a stem beyond full scale had to be clipped.

    Args:
        stems: Stems, which sum to the song but for rounding.
        song: The song, on the grid of ``bits``.
        bits: Bits of a sample, 16 or 24.

    Returns:
        Integers that fill 32 bits: the lowest ``32 - bits`` are zero.

    Shape:
        ``[S, C, n], [C, n] -> [S, C, n]``
    """
    scale = float(1 << (bits - 1))
    exact = stems * scale
    floor = np.floor(exact)
    missing = np.rint(song.astype(np.float64) * scale) - floor.sum(0)
    rank = np.argsort(np.argsort(floor - exact, axis=0, kind="stable"), axis=0, kind="stable")
    rounded = floor + (rank < missing)
    clipped = np.clip(rounded, -scale, scale - 1).astype(np.int64)
    return (clipped << (32 - bits)).astype(np.int32)
