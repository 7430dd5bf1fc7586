"""Music that loops: its last chunk leads to its first one, as if the music had gone on.

What follows the end of a loop is its beginning. So when the last chunk is drawn, that is known: a
stretch before, which goes on, and a stretch after, which must be led to. The network hears both
sides of the seam as those of any other place, and the length need not fit the tokens of a sketch.

A network is wrong at the very beginning of what it draws. So the loop begins a moment later, and
what was drawn before that is thrown away; the last chunk draws it anew, as the end of the loop.

What is left of a step at the seam is small, but would click. It is taken away by a ramp.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk, Chunks
from msdm_cli.tasks.continuation import Draw
from msdm_cli.tasks.known import Known

Array = NDArray[np.float32]

RAMP_SAMPLES = 441
"""Length of the ramp before the seam: 20 ms at 22 050 Hz."""


class Loop:
    """Draws the chunks of a loop, in order.

    Args:
        draw: Draws a chunk from what is known in its window.
        chunks: The chunks of the loop; the window of the last one goes on beyond its end.
        lead: Samples before the loop that are thrown away.
        margin: Samples on either side of a window that ``draw`` takes with it.
    """

    def __init__(self, draw: Draw, chunks: Chunks, lead: int, margin: int) -> None:
        self._draw = draw
        self._last = len(chunks) - 1
        self._lead = lead
        self._length = chunks[self._last].core_stop - lead
        self._needed = chunks[self._last].stop + margin - self._length
        self._margin = margin
        self._beginning: Array | None = None

    def draw(self, index: int, chunk: Chunk, given: Mapping[int, Known]) -> Array:
        """What a chunk adds to the loop, ``[S, n]``."""
        if index == self._last:
            # What is given, such as the silence of a stem that rests, is known throughout.
            return self._close(self._draw(index, chunk, {**self._follow(chunk), **given}))
        new = self._draw(index, chunk, given)
        before = new[:, :0] if self._beginning is None else self._beginning
        missing = max(0, self._needed - before.shape[1])
        self._beginning = np.concatenate((before, new[:, :missing]), 1)
        return new if index else new[:, self._lead :]

    def _follow(self, chunk: Chunk) -> dict[int, Known]:
        """What follows the end in the window of the last chunk: the beginning."""
        assert self._beginning is not None
        places = np.arange(chunk.start - self._margin, chunk.stop + self._margin) - self._length
        known = (places >= self._lead) & (places < self._beginning.shape[1])
        samples = np.zeros((len(self._beginning), len(places)), np.float32)
        samples[:, known] = self._beginning[:, places[known]]
        return {stem: Known(row, known) for stem, row in enumerate(samples)}

    def _close(self, end: Array) -> Array:
        """The end of the loop, so that its beginning goes on from it, ``[S, n]``."""
        assert self._beginning is not None
        if end.shape[1] < 2:
            return end
        expected = 2 * end[:, -1:] - end[:, -2:-1]
        count = min(RAMP_SAMPLES, end.shape[1])
        ramp = (1 - np.cos(np.pi * np.arange(1, count + 1) / count)) / 2
        closed = end.copy()
        closed[:, -count:] += (self._beginning[:, self._lead, None] - expected) * ramp
        return closed
