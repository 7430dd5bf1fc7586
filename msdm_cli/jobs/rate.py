"""Results at another rate than that of the input."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.resample import StreamResampler
from msdm_cli.audio.source import AudioProperties, AudioSource, read_all
from msdm_cli.diffusion.moved import stretch
from msdm_cli.tasks.stream import StemBlock

Array = NDArray[np.float32]
MIXTURE = ""
"""Key of the mixture, which no stem has."""


def change_rate(
    blocks: Iterable[StemBlock], before: AudioProperties, after: AudioProperties
) -> Iterator[StemBlock]:
    """Blocks at another rate. Stems that sum to their mixture still do, but for rounding.

    Args:
        blocks: Stems and their mixture.
        before: Rate and length of what comes.
        after: Rate and length of what goes.
    """
    resamplers: dict[str, StreamResampler] = {}
    for block in blocks:
        signals = {**block.stems, MIXTURE: block.mixture}
        for name in signals.keys() - resamplers.keys():
            resamplers[name] = _resample(before, after.sample_rate)
        yield _to_block(
            {name: resamplers[name].push(_to_array(signal)) for name, signal in signals.items()}
        )
    yield _to_block({name: one.finish(after.frames) for name, one in resamplers.items()})


def change_loop_rate(blocks: Iterable[StemBlock], after: AudioProperties) -> Iterator[StemBlock]:
    """A loop at another rate, of which the end still leads to the beginning.

    All of it is held in memory: a loop is short.
    """
    held: dict[str, list[Array]] = {}
    for block in blocks:
        for name, signal in {**block.stems, MIXTURE: block.mixture}.items():
            held.setdefault(name, []).append(_to_array(signal))
    whole = {name: np.concatenate(parts, 1) for name, parts in held.items()}
    yield _to_block({name: stretch(signal, after.frames) for name, signal in whole.items()})


def _to_block(signals: Mapping[str, Array]) -> StemBlock:
    stems = {name: signal for name, signal in signals.items() if name != MIXTURE}
    return StemBlock(stems, signals[MIXTURE])


def add_given(
    blocks: Iterable[StemBlock], sources: Mapping[str, AudioSource]
) -> Iterator[StemBlock]:
    """Blocks with given stems among the others, with as many channels as the mixture."""
    with ExitStack() as stack:
        readers = {name: stack.enter_context(one.open()) for name, one in sources.items()}
        for block in blocks:
            shape = block.mixture.shape
            given = {
                name: np.broadcast_to(reader.read(shape[1]), shape)
                for name, reader in readers.items()
            }
            yield StemBlock({**block.stems, **given}, block.mixture)


def read_at(source: AudioSource, rate: int, block_frames: int) -> Iterator[Array]:
    """All of a sound at a rate, in blocks, ``[C, n]`` each. It is what ``change_rate`` gives."""
    resampler = _resample(source.properties, rate)
    for block in read_all(source, block_frames):
        yield resampler.push(block)
    yield resampler.finish()


def _resample(sound: AudioProperties, rate: int) -> StreamResampler:
    return StreamResampler(sound.sample_rate, rate, sound.channels)


def _to_array(signal: NDArray[Any]) -> Array:
    return np.ascontiguousarray(signal, np.float32)
