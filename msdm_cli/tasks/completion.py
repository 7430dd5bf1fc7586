"""Stems beside given ones: what is drawn of them, and what stays as it is, to the last bit.

Imputation draws all of a stem that is missing. A stem that is there may be drawn anew in a part, or
go on after its end. Outside of that part it stays as it is. The cross-fades lie inside, so that
rate, channels and high frequencies, which the network does not have, do not break off.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.level import fit_level
from msdm_cli.audio.resample import StreamResampler, resampled_length
from msdm_cli.audio.source import AudioProperties, AudioSource
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.continuation import draw_chunks
from msdm_cli.tasks.course import Stretch, find_stretch
from msdm_cli.tasks.hearing import hear
from msdm_cli.tasks.known import Given, rest
from msdm_cli.tasks.music import MusicOptions, choose_draw, find_margin, plan_music
from msdm_cli.tasks.original import Original, count_fade
from msdm_cli.tasks.stream import ChunkStore, StemBlock, TaskPlan

BLOCK_SAMPLES = 1 << 15
"""Length of the blocks, at the model's rate, where nothing is drawn."""

HEARD = "heard"
"""The fact under which a stream has what was heard."""

Array = NDArray[np.float32]
OptionsType = TypeVar("OptionsType", bound=Any)
"""A dataclass that has what ``MusicOptions`` has."""


@dataclass(frozen=True)
class Completion:
    """What is wanted beside given stems.

    Attributes:
        targets: Stems that are wanted.
        output: Rate, channels and length of what comes.
        part: First frame and end of what is drawn of the targets.
        resting: Targets that are silent after what is there of them.
        rested: Whether it is known that targets that are not there were silent before the part. A
            network that knows it lets most of them rest on.
    """

    targets: tuple[str, ...]
    output: AudioProperties
    part: tuple[int, int]
    resting: tuple[str, ...] = ()
    rested: bool = False

    @property
    def whole(self) -> bool:
        """Whether all of the targets is drawn."""
        return self.part == (0, self.output.frames)

    def find_gap(self, rate: int) -> tuple[int, int, int]:
        """The part that is drawn, and the length of all, at another rate."""
        frames = self.output.frames
        total = resampled_length(frames, self.output.sample_rate, rate)
        first = self.part[0] * rate // self.output.sample_rate
        stop = resampled_length(self.part[1], self.output.sample_rate, rate)
        return first, stop, total

    def find_stretch(self, spec: ModelSpec) -> Stretch:
        """Where the network works: in the part, and in what it must know around it."""
        first, stop, total = self.find_gap(spec.sample_rate)
        return Stretch(total) if self.whole else find_stretch(spec, total, first, stop)

    def weigh(self, start: int, frames: int) -> Array:
        """The share of what is drawn in some frames: 0 outside of the part, ``[frames]``."""
        first, stop = self.part
        places = np.arange(start, start + frames)
        fade = count_fade(self.output.sample_rate) + 1
        # Nothing is there before the beginning and after the end to fade from.
        rising = (places - first + 1) / fade if first else np.inf
        falling = (stop - places) / fade if stop < self.output.frames else np.inf
        weights = np.clip(np.minimum(rising, falling), 0, 1)
        return np.broadcast_to(weights, places.shape).astype(np.float32)


def plan_completion(spec: ModelSpec, options: MusicOptions, wanted: Completion) -> TaskPlan:
    """The chunks and network calls of a completion."""
    return plan_music(spec, wanted.find_stretch(spec), options)


def hear_given(
    sources: Mapping[str, AudioSource], options: OptionsType, wanted: Completion
) -> tuple[OptionsType, dict[str, Any]]:
    """Options with what is heard in given stems, as ``hear``, and what that is, for a manifest.

    A network that draws no sketch is told nothing.

    Raises:
        AudioError: A stem cannot be decoded.
    """
    if options.sketch is None:
        return options, {}
    rate = wanted.output.sample_rate
    part = None if wanted.whole else (wanted.part[0] / rate, wanted.part[1] / rate)
    controls, heard = hear(sources, options.controls, part)
    return dataclasses.replace(options, controls=controls), {HEARD: heard}


def complete(
    model: LoadedModel,
    task: str,
    sources: Mapping[str, AudioSource],
    options: MusicOptions,
    wanted: Completion,
    kept: tuple[Calls, ChunkStore],
) -> Iterator[StemBlock]:
    """Draw what is wanted beside given stems.

    The model is mono: it hears the mean of the channels. What is drawn is the same in each, or lies
    between them as what stays of the same stem before it.

    Args:
        model: The model.
        task: The task whose networks draw.
        sources: The given stems, by name. Each is read once.
        options: How.
        wanted: What.
        kept: What counts network calls, and what keeps chunks.

    Yields:
        The targets, and the mixture of them and the given stems.
    """
    spec = model.spec
    targets = [spec.stems.index(name) for name in wanted.targets]
    up = StreamResampler(spec.sample_rate, wanted.output.sample_rate, len(targets))
    gain = choose_gain(spec, sources)
    with ExitStack() as stack:
        originals = {
            name: Original(
                stack.enter_context(source.open()), spec.sample_rate, wanted.part[0], gain
            )
            for name, source in sources.items()
        }
        mixer = _Mixer(wanted, originals)
        for core in _draw(model, task, originals, options, wanted, kept):
            yield mixer.mix(up.push(core[targets] / np.float32(gain)))
        yield mixer.mix(up.finish(wanted.output.frames))


def choose_gain(spec: ModelSpec, sources: Mapping[str, AudioSource]) -> float:
    """The gain with which the network hears given stems, as loud as those that it was trained on.

    So what is drawn beside quiet stems is as quiet. Stems are taken to be equally loud.
    """
    if spec.level_db is None:
        return 1.0
    rms = math.sqrt(sum(source.rms**2 for source in sources.values()))
    share_db = 10 * math.log10(len(sources) / len(spec.stems))
    return fit_level(rms, spec.level_db + share_db)


def _draw(
    model: LoadedModel,
    task: str,
    originals: Mapping[str, Original],
    options: MusicOptions,
    wanted: Completion,
    kept: tuple[Calls, ChunkStore],
) -> Iterator[Array]:
    """All stems at the model's rate, ``[S, n]``; silence where the network need not work."""
    spec = model.spec
    stretch = wanted.find_stretch(spec)
    total = wanted.find_gap(spec.sample_rate)[2]
    planned = plan_music(spec, stretch, options)
    draw = choose_draw(model, task, options, planned, kept)
    margin = find_margin(options)
    for start, stop in _list_blocks(0, planned.chunks[0].start):
        for original in originals.values():
            original.skip(stop - margin)
        yield np.zeros((len(spec.stems), stop - start), np.float32)
    given = _list_given(spec, originals, wanted, margin)
    yield from draw_chunks(draw, planned, given, kept[0].stop)
    for start, stop in _list_blocks(stretch.stop, total):
        yield np.zeros((len(spec.stems), stop - start), np.float32)


def _list_blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    for first in range(start, stop, BLOCK_SAMPLES):
        yield first, min(first + BLOCK_SAMPLES, stop)


def _list_given(
    spec: ModelSpec, originals: Mapping[str, Original], wanted: Completion, margin: int
) -> dict[int, Given]:
    """What is known of each stem, by its index."""
    first, stop, total = wanted.find_gap(spec.sample_rate)
    # What follows the end of the piece is not known of a target that goes on to it.
    gap = first, stop if stop < total else np.inf
    given = {}
    for index, name in enumerate(spec.stems):
        drawn = name in wanted.targets and name not in wanted.resting
        if name in originals:
            # After its end it is silent.
            given[index] = Given(originals[name].hear, gap if drawn else (0, 0), margin)
        elif name in wanted.targets and wanted.rested:
            given[index] = Given(rest, gap if drawn else (0, 0), margin)
    return given


class _Mixer:
    """Puts what is drawn in its place, and mixes it with what is given.

    Args:
        wanted: What is wanted.
        originals: The given stems, by name.
    """

    def __init__(self, wanted: Completion, originals: Mapping[str, Original]) -> None:
        self._wanted = wanted
        self._originals = originals
        self._place = 0

    def mix(self, drawn: Array) -> StemBlock:
        """The targets and the mixture, of the next samples of what was drawn, ``[targets, n]``."""
        wanted = self._wanted
        frames = drawn.shape[1]
        weights = wanted.weigh(self._place, frames)
        self._place += frames
        given = {name: one.read(frames) for name, one in self._originals.items()}
        stems = {}
        for name, new in zip(wanted.targets, weights * drawn, strict=True):
            stem = new[None]
            if name in given:
                pan = self._originals[name].pan[:, None]
                stem = pan * stem + (1 - weights) * given.pop(name)
            channels = wanted.output.channels
            stems[name] = stem if len(stem) == channels else np.repeat(stem, channels, 0)
        mixture = np.stack(list(stems.values())).sum(0)
        for samples in given.values():
            mixture = mixture + samples
        return StemBlock(stems, mixture)
