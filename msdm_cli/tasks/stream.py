"""What a task gives: stems in blocks, and what was found on the way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunks
from msdm_cli.tasks.calls import Calls

Array = NDArray[np.float32]


@dataclass(frozen=True)
class StemBlock:
    """Consecutive samples of stems and of their mixture.

    Attributes:
        stems: By name, ``[C, n]`` each.
        mixture: Separation: the song. Imputation: given and imputed stems together. Generation: the
            sum of the stems. ``[C, n]``.
    """

    stems: Mapping[str, NDArray[np.floating[Any]]]
    mixture: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class TaskPlan:
    """The network calls of a task: a pure function of lengths and options.

    Attributes:
        chunks: In order.
        calls_per_chunk: Network calls of each chunk.
        batch: Items of a network call.
        signals: Signals of a chunk that its store keeps: stems, times channels if they differ.
        independent: Whether chunks may be drawn in any order, and so on several devices at once.
    """

    chunks: Chunks
    calls_per_chunk: int
    batch: int
    signals: int
    independent: bool

    @property
    def calls(self) -> int:
        """Network calls of the whole task."""
        return len(self.chunks) * self.calls_per_chunk

    @property
    def stored_samples(self) -> int:
        """Samples that a store keeps until the task ends; none of a single chunk."""
        if len(self.chunks) == 1:
            return 0
        return self.signals * self.chunks.core_samples


class ChunkStore(Protocol):
    """Keeps what was drawn of each chunk, so that it need not be drawn again."""

    def load(self, index: int) -> Array | None:
        """What was saved of a chunk; None if nothing was."""
        ...

    def save(self, index: int, chunk: Array) -> None:
        """Keep what was drawn of a chunk."""
        ...


class NoStore:
    """Keeps nothing."""

    def load(self, index: int) -> Array | None:
        """Nothing was saved."""
        return None

    def save(self, index: int, chunk: Array) -> None:
        """Keep nothing."""


@dataclass
class StemStream:
    """The blocks of a running task. It can be iterated over once.

    Attributes:
        blocks: The blocks; closing them ends the task.
        calls: Counts the network calls.
        facts: What was found, for a manifest; complete after the last block.
    """

    blocks: Iterator[StemBlock]
    calls: Calls
    facts: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[StemBlock]:
        return self.blocks

    def close(self) -> None:
        """End the task, complete or not."""
        close = getattr(self.blocks, "close", None)
        if close:
            close()


def recall(
    store: ChunkStore,
    index: int,
    draw: Callable[[], Array],
    skip: Callable[[], None],
    shape: tuple[int, ...],
) -> Array:
    """What a store has of a chunk; else what is drawn now, and then kept.

    Args:
        store: The store.
        index: Number of the chunk.
        draw: Draws it.
        skip: Called instead of ``draw``.
        shape: Of what is drawn. What the store has in another shape is not of this job.
    """
    found = store.load(index)
    if found is not None and found.shape == shape:
        skip()
        return found
    drawn = draw()
    store.save(index, drawn)
    return drawn
