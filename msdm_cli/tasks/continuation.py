"""Music longer than a chunk that must go on rather than be cross-faded: out-painting.

Each window begins half a chunk before the end of what is there. That half is known, and the network continues it
(RePaint, arXiv 2201.09865). The last ``context`` samples of a window are thrown away, except at the end of the song:
the network is wrong at its own edges.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.jobs.journal import Journal
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks.sampling import ChunkSampler


@dataclass(frozen=True)
class ContinuedWindow:
    """One run of the network, in samples from the beginning of the song.

    Attributes:
        start: First sample of the window.
        stop: End of the window; past the end of the song only if the song is shorter than a chunk.
        known_stop: End of what earlier windows produced.
        kept_stop: End of what this window produces.
    """

    start: int
    stop: int
    known_stop: int
    kept_stop: int


def plan_continuation(spec: ModelSpec, total: int) -> list[ContinuedWindow]:
    """Windows of a song of ``total`` samples at the model's rate."""
    length = spec.chunk_length
    if total <= length:
        padded = -(-total // spec.length_multiple) * spec.length_multiple
        return [ContinuedWindow(0, padded, 0, total)]
    windows, start, known = [], 0, 0
    while start + length < total:
        kept = start + length - spec.context
        windows.append(ContinuedWindow(start, start + length, known, kept))
        start, known = kept - length // 2, kept
    windows.append(ContinuedWindow(total - length, total, known, total))
    return windows


def continue_stems(
    sampler: ChunkSampler,
    windows: list[ContinuedWindow],
    given: dict[int, Callable[[int, int], NDArray[np.float32]]],
    journal: Journal,
    skip: Callable[[], None],
) -> Iterator[NDArray[np.float32]]:
    """Produce stems window by window.

    Args:
        sampler: Draws a window.
        windows: The plan.
        given: For the index of each given stem, what reads it from start to stop, ``-> [stop - start]``.
        journal: Keeps what was produced.
        skip: Called for a window that the journal has.

    Yields:
        New samples, ``[S, kept_stop - known_stop]``.
    """
    stems = len(sampler.model.spec.stems)
    before = np.zeros((stems, 0), np.float32)  # ends where the last window's kept samples ended
    for index, window in enumerate(windows):
        length, old = window.stop - window.start, window.known_stop - window.start
        values = np.zeros((stems, length), np.float32)
        known = np.zeros((stems, length), bool)
        values[:, :old] = before[:, before.shape[1] - old :]
        known[:, :old] = True
        for stem, read in given.items():
            values[stem], known[stem] = read(window.start, window.stop), True
        condition = Condition(values=values[None], known=known[None])

        draw = partial(_draw, sampler, condition, index, window)
        new = journal.recall(index, draw, skip, keep=len(windows) > 1)
        before = np.concatenate((values[:, :old], new), 1)
        yield new


def _draw(
    sampler: ChunkSampler, condition: Condition, index: int, window: ContinuedWindow
) -> NDArray[np.float32]:
    """What a window adds, ``[S, kept_stop - known_stop]``."""
    shape = (1, len(sampler.model.spec.stems), window.stop - window.start)
    drawn = sampler.draw(condition, index, window.start, shape)[0]
    return drawn[:, window.known_stop - window.start : window.kept_stop - window.start]
