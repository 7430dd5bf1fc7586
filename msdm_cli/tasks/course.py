"""The chunks of music that is drawn from its beginning to its end.

Each chunk begins half a chunk before the end of what is there. The last ``context`` samples of a
chunk are thrown away, except at the end: the network is wrong at its own edges.
"""

from dataclasses import dataclass

from msdm_cli.audio.chunks import Chunk, Chunks
from msdm_cli.models.spec import ModelSpec

AFTER = 4
"""A chunk that leads to what is there knows that for one part in so many of its length."""


@dataclass(frozen=True)
class Stretch:
    """What is drawn of a piece, in samples at the model's rate.

    Attributes:
        stop: Where it ends.
        start: Where it begins.
        loops: Whether its end leads to what follows the first ``context`` samples of it.
    """

    stop: int
    start: int = 0
    loops: bool = False


def find_stretch(spec: ModelSpec, total: int, first: int, stop: int) -> Stretch:
    """What is drawn around a gap: what the network must know before and after it, too.

    Args:
        spec: Of the model.
        total: Length of the piece, in samples at the model's rate.
        first: First sample of the gap.
        stop: End of the gap.
    """
    length = spec.chunk_length
    multiple = spec.length_multiple
    gap = stop - first
    if gap > length // 2:
        start = first - length // 2
        end = stop + length // AFTER
    else:
        # One chunk, with the gap in its middle, or as near to it as the end of the piece allows.
        start = min(first - (length - gap) // 2, _round_up(total - length, multiple))
        end = max(0, start) // multiple * multiple + length
    return Stretch(min(end, total), max(0, start) // multiple * multiple)


def lay_chunks(spec: ModelSpec, stretch: Stretch, unit: int = 1) -> Chunks:
    """The chunks of a stretch, which begin and end with multiples of ``unit`` samples."""
    begin = stretch.start // unit
    total = -(-stretch.stop // unit) - begin
    lay = cut_loop if stretch.loops else cut
    places = lay(
        total, spec.chunk_length // unit, spec.context // unit, spec.length_multiple // unit
    )

    def make(index: int) -> Chunk:
        chunk = places[index]
        return Chunk(
            (begin + chunk.start) * unit,
            (begin + chunk.stop) * unit,
            (begin + chunk.core_start) * unit,
            min((begin + chunk.core_stop) * unit, stretch.stop),
        )

    return Chunks(len(places), make)


def cut(total: int, length: int, context: int, multiple: int) -> Chunks:
    """The chunks of ``total`` positions.

    Args:
        total: Number of positions.
        length: Of a chunk with its context.
        context: Positions at the end of a chunk that are thrown away, except at the very end.
        multiple: A single chunk is as long as a multiple of this.
    """
    if total <= length:
        return Chunks(1, lambda index: Chunk(0, _round_up(total, multiple), 0, total))
    step = length - context - length // 2
    last = -(-(total - length) // step)

    def make(index: int) -> Chunk:
        start = index * step
        known = start + length // 2 if index else 0
        if index == last:
            return Chunk(total - length, total, known, total)
        return Chunk(start, start + length, known, start + length - context)

    return Chunks(last + 1, make)


def cut_loop(total: int, length: int, context: int, multiple: int) -> Chunks:
    """The chunks of a loop that ends after ``total`` positions.

    All but the last continue each other as those of ``cut`` do. The last one closes the loop: its
    window goes on beyond the end, where the music begins again. The first ``context`` positions are
    thrown away, too, so that the music that it leads to does not lie at the edge of a chunk.

    Args:
        total: Number of positions, ``context`` and at least 2 more.
        length: Of a chunk with its context.
        context: Positions at either end of a chunk that are thrown away.
        multiple: A chunk is as long as a multiple of this.
    """
    step = length - context - length // 2
    first = length - context
    more = (total - length // 8 - first) // step
    # Where the last chunk begins to draw. In short music that is near its middle.
    edge = (
        first + more * step if more >= 0 else total - min(3 * length // 8, (total - context) // 2)
    )
    count = max(more, 0) + 1
    stop = total + min(length // AFTER, total // 2)

    def make(index: int) -> Chunk:
        if index == count:
            size = min(length, _round_up(stop, multiple))
            start = max(0, stop - size)
            return Chunk(start, start + size, edge, total)
        start = index * step
        known = start + length // 2 if index else 0
        return Chunk(start, start + length, known, min(start + first, edge))

    return Chunks(count + 1, make)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
