"""Cutting a song into chunks, and putting it together again.

A network is wrong near its own edges. Each chunk is therefore computed on a ``window`` that is
longer than the ``core`` that is kept: ``context`` samples are thrown away at either end, except at
the ends of the song. Cores overlap. There they are cross-faded with linear weights, divided by
their sum.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Chunk:
    """One run of the network, in samples from the beginning of the song.

    Attributes:
        start: First sample of the window.
        stop: End of the window. It lies past the end of the song only if the song is shorter.
        core_start: First sample that is kept.
        core_stop: End of what is kept.
    """

    start: int
    stop: int
    core_start: int
    core_stop: int

    @property
    def core(self) -> slice:
        """Where the core lies in the window."""
        return slice(self.core_start - self.start, self.core_stop - self.start)

    @property
    def core_samples(self) -> int:
        """Length of the core."""
        return self.core_stop - self.core_start


class Chunks(Sequence[Chunk]):
    """Chunks that are computed when they are asked for: a header can claim a song of years.

    Args:
        count: How many there are.
        make: The chunk of an index from 0 to ``count - 1``. All between the first and the last have
            cores of the same length.
    """

    def __init__(self, count: int, make: Callable[[int], Chunk]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        place = operator.index(index)  # no slices
        if not -self._count <= place < self._count:
            raise IndexError(f"expected an index below {self._count}, got {place}")
        return self._make(place % self._count)

    @property
    def core_samples(self) -> int:
        """Samples of all cores together."""
        first, second, last = (self[min(index, self._count - 1)] for index in (0, 1, -1))
        inside = max(self._count - 2, 0) * second.core_samples
        return first.core_samples + inside + (self._count > 1) * last.core_samples

    def followed(self) -> Iterator[tuple[Chunk, Chunk | None]]:
        """Each chunk with the one after it; None after the last."""
        for index in range(self._count):
            yield self[index], self[index + 1] if index + 1 < self._count else None


@dataclass(frozen=True)
class ChunkPlan:
    """The chunks of a song: a pure function of four numbers.

    Attributes:
        total: Length of the song, in samples.
        length: Length of a window.
        context: Samples at either end of a window that are computed and thrown away.
        overlap: Samples that neighbouring cores share, at least.
    """

    total: int
    length: int
    context: int
    overlap: int

    def __post_init__(self) -> None:
        if self.total < 1:
            raise ValueError(f"expected at least 1 sample, got {self.total}")
        if self.context < 0 or self.overlap < 0 or self.hop < 1:
            raise ValueError(
                f"expected 2 * context + overlap below the length {self.length}, "
                f"got {self.context} and {self.overlap}"
            )

    @property
    def hop(self) -> int:
        """Distance of the windows, except of the last, which ends with the song."""
        return self.length - 2 * self.context - self.overlap

    def chunks(self) -> Chunks:
        """All chunks, in order."""
        last = max(0, self.total - self.length)

        def make(index: int) -> Chunk:
            start = min(index * self.hop, last)
            return Chunk(
                start,
                start + self.length,
                start + self.context if start > 0 else 0,
                start + self.length - self.context if start < last else self.total,
            )

        return Chunks(-(-last // self.hop) + 1, make)

    def weights(self, chunk: Chunk, first: int, count: int) -> NDArray[np.float32]:
        """Weights of samples of a core before division by the sum, ``[count]``.

        They rise over ``overlap`` samples and fall over as many, except at the ends of the song.

        Args:
            chunk: The chunk.
            first: First of the samples, from the beginning of the core.
            count: How many there are.
        """
        length = chunk.core_samples
        position = np.arange(first, first + count, dtype=np.float32)
        ramp = np.float32(self.overlap + 1)
        rising = (position + 1) / ramp if chunk.core_start > 0 else np.ones(count, np.float32)
        falling = (
            (length - position) / ramp
            if chunk.core_stop < self.total
            else np.ones(count, np.float32)
        )
        weights: NDArray[np.float32] = np.minimum(1, np.minimum(rising, falling))
        return weights


class OverlapAdd:
    """Sums weighted cores and gives back what no later chunk will change.

    Args:
        plan: The plan that the chunks come from.
        lead: Shape of what a chunk holds before the time axis, such as ``(channels, stems)``.
    """

    def __init__(self, plan: ChunkPlan, lead: tuple[int, ...]) -> None:
        self.plan = plan
        self._start = 0
        self._sum = np.zeros((*lead, 0), np.float32)
        self._weight = np.zeros(0, np.float32)

    def add(
        self, chunk: Chunk, core: NDArray[np.float32], next_chunk: Chunk | None, first: int = 0
    ) -> NDArray[np.float32]:
        """Add a chunk's core, or the next part of it, and take what is finished.

        Args:
            chunk: Where it belongs.
            core: Of what was computed there and is kept, ``[..., n]``.
            next_chunk: The chunk after it; None after the last.
            first: Where this part of the core begins in it.

        Returns:
            Finished samples that follow those given before, ``[..., n]``.
        """
        weights = self.plan.weights(chunk, first, core.shape[-1])
        start = chunk.core_start + first
        stop = start + core.shape[-1]
        grow = stop - self._start - self._sum.shape[-1]
        pad = [(0, 0)] * (self._sum.ndim - 1) + [(0, max(0, grow))]
        self._sum = np.pad(self._sum, pad)
        self._weight = np.pad(self._weight, (0, max(0, grow)))
        here = slice(start - self._start, stop - self._start)
        self._sum[..., here] += core * weights
        self._weight[here] += weights
        done = min(stop, next_chunk.core_start if next_chunk else self.plan.total) - self._start
        finished: NDArray[np.float32] = self._sum[..., :done] / self._weight[:done]
        self._sum = self._sum[..., done:]
        self._weight = self._weight[done:]
        self._start += done
        return finished
