"""Music longer than a chunk that must go on rather than be cross-faded: out-painting.

Each chunk begins half a chunk before the end of what is there. That half is known, and the network
continues it (RePaint, arXiv 2201.09865). The last ``context`` samples of a chunk are thrown away,
except at the end of the song: the network is wrong at its own edges. The core of a chunk is what it
adds.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk, Chunks
from msdm_cli.diffusion.conditions import Condition
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks.ahead import Ahead
from msdm_cli.tasks.sampling import Bind, ChunkSampler
from msdm_cli.tasks.stream import ChunkStore, TaskPlan, recall

Array = NDArray[np.float32]
Read = Callable[[int, int], Array]
"""Reads a given stem from start to stop, at the model's rate, ``-> [stop - start]``."""


def plan_continuation(spec: ModelSpec, total: int, calls_per_chunk: int) -> TaskPlan:
    """The chunks of a song of ``total`` samples at the model's rate."""
    chunks = cut(total, spec.chunk_length, spec.context, spec.length_multiple)
    return TaskPlan(chunks, calls_per_chunk, 1, len(spec.stems), independent=False)


def cut(total: int, length: int, context: int, multiple: int) -> Chunks:
    """The chunks of ``total`` positions.

    Args:
        total: Number of positions.
        length: Of a chunk with its context.
        context: Positions at the end of a chunk that are thrown away, except at the very end.
        multiple: A single chunk is as long as a multiple of this.
    """
    if total <= length:
        return Chunks(1, lambda index: Chunk(0, -(-total // multiple) * multiple, 0, total))
    step = length - context - length // 2
    last = -(-(total - length) // step)

    def make(index: int) -> Chunk:
        start = index * step
        known = start + length // 2 if index else 0
        if index == last:
            return Chunk(total - length, total, known, total)
        return Chunk(start, start + length, known, start + length - context)

    return Chunks(last + 1, make)


class Continuation:
    """Draws chunks in order; each is told what was drawn before it.

    Args:
        sampler: Draws a chunk.
        store: Keeps what was drawn.
        calls_per_chunk: Network calls of a chunk.

    Attributes:
        window: Stems of the last chunk up to the end of its core, ``[S, core_stop - start]``.
    """

    def __init__(self, sampler: ChunkSampler, store: ChunkStore, calls_per_chunk: int) -> None:
        self._sampler = sampler
        self._store = store
        self._calls_per_chunk = calls_per_chunk
        self._start = 0
        self.window: Array = np.zeros((len(sampler.model.spec.stems), 0), np.float32)

    def draw(
        self,
        index: int,
        chunk: Chunk,
        given: Mapping[int, Array],
        tell: Callable[[Condition], Bind] | None = None,
    ) -> Array:
        """What a chunk adds, ``[S, core]``.

        Args:
            index: Number of the chunk.
            chunk: Where it lies.
            given: Samples of the given stems in its window.
            tell: Gives what the network is told, from what is known of the chunk.
        """
        old = chunk.core_start - chunk.start
        values = np.zeros((len(self.window), chunk.stop - chunk.start), np.float32)
        known = np.zeros(values.shape, bool)
        values[:, :old] = self.window[:, chunk.start - self._start :][:, :old]
        known[:, :old] = True
        for stem, samples in given.items():
            values[stem] = samples
            known[stem] = True
        condition = Condition(values=values[None], known=known[None])

        def draw() -> Array:
            shape = (1, *values.shape)
            bind = tell(condition) if tell else None
            drawn = self._sampler.draw(condition, index, chunk.start, shape, bind)
            return drawn[0][:, chunk.core]

        skip = partial(self._sampler.calls.skip, self._calls_per_chunk)
        new = recall(self._store, index, draw, skip)
        self.window = np.concatenate((values[:, :old], new), 1)
        self._start = chunk.start
        return new


Draw = Callable[[int, Chunk, Mapping[int, Array]], Array]
"""Draws what a chunk adds, from its number, itself, and the given stems in its window."""


def draw_chunks(
    draw: Draw, plan: TaskPlan, given: Mapping[int, Read], stop: Callable[[], None]
) -> Iterator[Array]:
    """Draw stems chunk by chunk. The next chunk is drawn in a thread while the last one is used.

    Args:
        draw: Draws a chunk.
        plan: The chunks.
        given: Reads each given stem, by its index.
        stop: Makes a draw that has begun end soon.

    Yields:
        New samples, ``[S, core]``.
    """
    draws = (
        partial(
            draw,
            index,
            chunk,
            {stem: read(chunk.start, chunk.stop) for stem, read in given.items()},
        )
        for index, chunk in enumerate(plan.chunks)
    )
    with Ahead(1, stop) as thread:
        yield from thread.run(draws)
