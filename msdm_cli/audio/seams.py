"""How well chunks join: a figure per join of a song that was put together from chunks.

A click is a jump of the value or of the slope. At each join, the first and the second difference of
the samples are divided by their root mean square within ``REACH`` samples on either side. The ratio
is around 1 at an ordinary place, and a few times that at the largest of all places. A click has
more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk

REACH = 2048
QUIET = 1e-6


@dataclass(frozen=True)
class Seam:
    """One join.

    Attributes:
        position: First sample after it.
        value: Jump of the value there over its root mean square nearby; the worst channel and stem.
        slope: The same of the slope.
    """

    position: int
    value: float
    slope: float


def list_joins(chunks: Iterable[Chunk]) -> list[int]:
    """Where one chunk begins or ends to be heard, in order."""
    cut = list(chunks)
    return sorted({chunk.core_start for chunk in cut[1:]} | {chunk.core_stop for chunk in cut[:-1]})


class SeamMeter:
    """Measures joins while a song streams by.

    Args:
        joins: Positions, in order.
    """

    def __init__(self, joins: list[int]) -> None:
        self.seams: list[Seam] = []
        self._joins = list(joins)
        self._held: NDArray[np.float32] | None = None
        self._start = 0

    def worst(self) -> dict[str, float]:
        """The largest figures so far; 0 without a join."""
        return {
            figure: round(max((getattr(seam, figure) for seam in self.seams), default=0.0), 3)
            for figure in ("value", "slope")
        }

    def push(self, block: NDArray[np.float32], *, last: bool) -> None:
        """Add the next samples, ``[..., n]``; ``last`` if no more will come."""
        held = block if self._held is None else np.concatenate((self._held, block), -1)
        stop = self._start + held.shape[-1]
        while self._joins and (last or self._joins[0] + REACH <= stop):
            join = self._joins.pop(0)
            first = max(0, join - REACH - self._start)
            around = held[..., first : join + REACH - self._start]
            self.seams.append(_measure(around, join, join - self._start - first))
        keep = max(
            0, min(held.shape[-1], (self._joins[0] if self._joins else stop) - REACH - self._start)
        )
        self._held = held[..., keep:]
        self._start += keep


def _measure(around: NDArray[np.float32], position: int, place: int) -> Seam:
    """The figures of a join at sample ``place`` of its surroundings."""
    ratios = []
    for order in (1, 2):
        difference = np.diff(around.astype(np.float64), order)
        nearby = np.sqrt(np.square(difference).mean(-1)) + QUIET
        here = (
            np.abs(difference[..., place - 1])
            if order == 1
            else np.abs(difference[..., place - 2 : place]).max(-1)
        )
        ratios.append(float((here / nearby).max()))
    return Seam(position, *ratios)
