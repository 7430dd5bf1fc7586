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

from msdm_cli.audio.chunks import Chunk
from msdm_cli.diffusion.conditions import Condition
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks.ahead import Ahead
from msdm_cli.tasks.sampling import ChunkSampler
from msdm_cli.tasks.stream import ChunkStore, TaskPlan, recall

Array = NDArray[np.float32]
Read = Callable[[int, int], Array]
"""Reads a given stem from start to stop, at the model's rate, ``-> [stop - start]``."""


def plan_continuation(spec: ModelSpec, total: int, calls_per_chunk: int) -> TaskPlan:
    """The chunks of a song of ``total`` samples at the model's rate."""
    chunks = tuple(_cut(spec, total))
    return TaskPlan(chunks, calls_per_chunk, 1, len(spec.stems), independent=False)


def _cut(spec: ModelSpec, total: int) -> Iterator[Chunk]:
    length = spec.chunk_length
    if total <= length:
        padded = -(-total // spec.length_multiple) * spec.length_multiple
        yield Chunk(0, padded, 0, total)
        return
    start = known = 0
    while start + length < total:
        kept = start + length - spec.context
        yield Chunk(start, start + length, known, kept)
        start = kept - length // 2
        known = kept
    yield Chunk(total - length, total, known, total)


class _Continuation:
    """Draws chunks in order; each is told what was drawn before it."""

    def __init__(self, sampler: ChunkSampler, store: ChunkStore, calls_per_chunk: int) -> None:
        self._sampler = sampler
        self._store = store
        self._calls_per_chunk = calls_per_chunk
        # Known samples up to the end of the last core.
        self._before: Array = np.zeros((len(sampler.model.spec.stems), 0), np.float32)

    def draw(self, index: int, chunk: Chunk, given: Mapping[int, Array]) -> Array:
        """What a chunk adds, ``[S, core]``."""
        stems = len(self._before)
        old = chunk.core_start - chunk.start
        values = np.zeros((stems, chunk.stop - chunk.start), np.float32)
        known = np.zeros(values.shape, bool)
        values[:, :old] = self._before[:, self._before.shape[1] - old :]
        known[:, :old] = True
        for stem, samples in given.items():
            values[stem] = samples
            known[stem] = True
        condition = Condition(values=values[None], known=known[None])

        def draw() -> Array:
            drawn = self._sampler.draw(condition, index, chunk.start, (1, *values.shape))
            return drawn[0][:, chunk.core]

        skip = partial(self._sampler.calls.skip, self._calls_per_chunk)
        new = recall(self._store, index, draw, skip)
        self._before = np.concatenate((values[:, :old], new), 1)
        return new


def continue_stems(
    sampler: ChunkSampler, plan: TaskPlan, given: Mapping[int, Read], store: ChunkStore
) -> Iterator[Array]:
    """Draw stems chunk by chunk. The next chunk is drawn in a thread while the last one is used.

    Args:
        sampler: Draws a chunk.
        plan: The chunks.
        given: Reads each given stem, by its index.
        store: Keeps what was drawn.

    Yields:
        New samples, ``[S, core]``.
    """
    continuation = _Continuation(sampler, store, plan.calls_per_chunk)
    draws = (
        partial(
            continuation.draw,
            index,
            chunk,
            {stem: read(chunk.start, chunk.stop) for stem, read in given.items()},
        )
        for index, chunk in enumerate(plan.chunks)
    )
    with Ahead(1, sampler.calls.stop) as thread:
        yield from thread.run(draws)
