"""Stems in integers whose sum is the song's integers."""

import numpy as np
from numpy.typing import NDArray


def quantise_to_sum(
    stems: NDArray[np.float64], song: NDArray[np.float64], bits: int
) -> tuple[NDArray[np.int32], int]:
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
    target = np.rint(song * scale)
    rounded, running, before = np.empty_like(stems), np.zeros(song.shape), np.zeros(song.shape)
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
