"""What is known of a stem before music is drawn: all of it, or all but a gap.

A given stem is known throughout. A stem of which a part is drawn anew is known before and after
that part, and so the network continues it and leads to what follows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Read = Callable[[int, int], Array]
"""Reads a stem from start to stop, at the model's rate, silence after its end.

Shape: ``-> [stop - start]``; ``start`` is not before that of the last call.
"""


@dataclass(frozen=True)
class Known:
    """A stem in a window.

    Attributes:
        samples: Its samples, ``[T]``; what they are where nothing is known does not matter.
        known: Where they are known, ``[T]``.
    """

    samples: Array
    known: NDArray[np.bool_]

    def inside(self, margin: int) -> "Known":
        """The same without a margin at either end."""
        here = slice(margin, len(self.samples) - margin)
        return Known(self.samples[here], self.known[here])


@dataclass(frozen=True)
class Given:
    """A stem that is there.

    Attributes:
        read: Reads it.
        gap: First sample that is not known, and the first that is again; infinity for none.
        margin: Samples on either side of a window that are given with it.
    """

    read: Read
    gap: tuple[float, float] = (0, 0)
    margin: int = 0

    def window(self, start: int, stop: int) -> Known:
        """What is known from start to stop, and in the margins; silence before its beginning."""
        first, last = start - self.margin, stop + self.margin
        before = max(0, -first)
        samples = np.pad(self.read(first + before, last), (before, 0))
        places = np.arange(first, last)
        known = (places < self.gap[0]) | (places >= self.gap[1])
        return Known(samples, known)


def rest(start: int, stop: int) -> Array:
    """The silence of a stem that is not there, or that rests, ``-> [stop - start]``."""
    return np.zeros(stop - start, np.float32)


def find_known_tokens(known: NDArray[np.bool_], length: int, margin: int) -> NDArray[np.bool_]:
    """Which tokens are known: those of which all samples are, those around them too.

    Args:
        known: Which samples are known, with the margins of the first and the last token.
        length: Samples of a token.
        margin: Samples before and after a token that its code depends on.

    Shape:
        ``[margin + tokens * length + margin] -> [tokens]``
    """
    unknown = np.concatenate(([0], np.cumsum(~known)))
    first = np.arange(0, len(known) - 2 * margin, length)
    found: NDArray[np.bool_] = unknown[first + length + 2 * margin] == unknown[first]
    return found
