"""Mixes of stems: a gain for each, a name for the file, and rounding that leaves nothing out."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_writer import Block
from msdm_cli.audio.formats import Subtype
from msdm_cli.audio.quantise import quantise

MIX = "mix"
WITHOUT = "without-"
MOST_GAIN = 100.0
"""40 dB: a larger factor is a slip of the hand."""

FULL_SCALE = 2.0**31
"""Of integers that fill 32 bits."""

Gains = Mapping[str, float]
"""Factors by the name of the stem. A stem that is not named keeps its level."""


def check_gains(gains: Gains) -> None:
    """Refuse a factor that is negative, not finite, or beyond ``MOST_GAIN``.

    Raises:
        ValueError: There is one.
    """
    for name, gain in gains.items():
        if not 0 <= gain <= MOST_GAIN:
            raise ValueError(f"expected a gain of 0 to {MOST_GAIN:g} for {name}, got {gain}")


def is_mix(name: str, stems: Iterable[str] | None = None, prefix: str = "") -> bool:
    """Whether a name is that of a mix: ``mix``, or ``without-`` and the stems that are left out.

    Args:
        name: The name.
        stems: The stems that there are; any if None. A song may be called ``without-you``.
        prefix: What may stand before it. After one, ``mix`` is none: a song may be called so, too.
    """
    if prefix and name == f"{prefix}{MIX}":
        return False
    name = name.removeprefix(prefix)
    if name == MIX or stems is None:
        return name == MIX or name.startswith(WITHOUT)
    one = "|".join(map(re.escape, stems))
    return bool(re.fullmatch(f"{WITHOUT}({one})(-({one}))*", name))


def mix(stems: Mapping[str, NDArray[Any]], gains: Gains) -> NDArray[np.float64]:
    """The weighted sum of stems, ``[C, n]`` each, or ``[1, n]``: in all channels. Full scale is 1.

    Integers that fill 32 bits are exact in double precision, and so is the sum of a few of them.
    """
    total = np.zeros(np.broadcast_shapes(*(stem.shape for stem in stems.values())))
    for name, stem in stems.items():
        gain = gains.get(name, 1.0)
        if gain:
            total += gain / (FULL_SCALE if stem.dtype == np.int32 else 1.0) * stem
    return total


def round_mix(mixed: NDArray[np.float64], subtype: Subtype) -> tuple[Block, int]:
    """A mix as integers of the subtype or as floats, and how many samples were clipped."""
    if subtype.bits in (16, 24):
        return quantise(mixed, subtype.bits)
    return mixed.astype(np.float32), 0
