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
from msdm_cli.tasks.ahead import Ahead
from msdm_cli.tasks.known import Given, Known
from msdm_cli.tasks.sampling import Bind, ChunkSampler
from msdm_cli.tasks.stream import ChunkStore, TaskPlan, recall

Array = NDArray[np.float32]


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
        given: Mapping[int, Known],
        tell: Callable[[Condition], Bind] | None = None,
    ) -> Array:
        """What a chunk adds, ``[S, core]``.

        Args:
            index: Number of the chunk.
            chunk: Where it lies.
            given: What is known of stems in its window, beside what was drawn before.
            tell: Gives what the network is told, from what is known of the chunk.
        """
        old = chunk.core_start - chunk.start
        values = np.zeros((len(self.window), chunk.stop - chunk.start), np.float32)
        known = np.zeros(values.shape, bool)
        values[:, :old] = self.window[:, chunk.start - self._start :][:, :old]
        known[:, :old] = True
        for stem, heard in given.items():
            values[stem] = np.where(heard.known, heard.samples, values[stem])
            known[stem] |= heard.known
        condition = Condition(values=values[None], known=known[None])

        def draw() -> Array:
            shape = (1, *values.shape)
            bind = tell(condition) if tell else None
            drawn = self._sampler.draw(condition, index, chunk.start, shape, bind)
            return drawn[0][:, chunk.core]

        skip = partial(self._sampler.calls.skip, self._calls_per_chunk)
        shape = (len(values), chunk.core_samples)
        new = recall(self._store, index, draw, skip, shape)
        self.window = np.concatenate((values[:, :old], new), 1)
        self._start = chunk.start
        return new


Draw = Callable[[int, Chunk, Mapping[int, Known]], Array]
"""Draws what a chunk adds, from its number, itself, and what is known of stems in its window."""


def draw_chunks(
    draw: Draw, plan: TaskPlan, given: Mapping[int, Given], stop: Callable[[], None]
) -> Iterator[Array]:
    """Draw stems chunk by chunk. The next chunk is drawn in a thread while the last one is used.

    Args:
        draw: Draws a chunk.
        plan: The chunks.
        given: The given stems by their index.
        stop: Makes a draw that has begun end soon.

    Yields:
        New samples, ``[S, core]``.
    """
    draws = (
        partial(
            draw,
            index,
            chunk,
            {stem: one.window(chunk.start, chunk.stop) for stem, one in given.items()},
        )
        for index, chunk in enumerate(plan.chunks)
    )
    with Ahead(1, stop) as thread:
        yield from thread.run(draws)
