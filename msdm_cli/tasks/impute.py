"""Imputation: some stems in, the missing ones out, of any length."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.resample import StreamResampler, resampled_length
from msdm_cli.audio.shared_reader import SharedReader
from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import AudioProperties, AudioSource
from msdm_cli.audio.stem_finish import MIXTURE
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import UnsuitableAudio
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec
from msdm_cli.progress import Progress
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.cascade import widen
from msdm_cli.tasks.continuation import Read, draw_chunks
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.music import choose_draw, plan_music
from msdm_cli.tasks.stream import ChunkStore, StemBlock, StemStream, TaskPlan

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ImputeOptions:
    """How stems are imputed.

    Attributes:
        preset: Sampler and settings.
        seed: Of the noise; None for a sampler that uses none.
        targets: The stems that are wanted. A stem that is neither given nor a target is imputed
            too, since the network is joint, but not given back.
        sketch: Sampler and settings of the sketch, of a model that draws one first.
        controls: What is asked for, of such a model.
    """

    preset: Preset
    seed: int | None = None
    targets: tuple[str, ...] = ()
    sketch: Preset | None = None
    controls: Controls = field(default_factory=Controls)


def name_outputs(spec: ModelSpec, options: ImputeOptions) -> tuple[str, ...]:
    """Names of what is written."""
    return (*options.targets, MIXTURE)


def describe_output(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: ImputeOptions
) -> AudioProperties:
    """Rate and length of the given stems, and the most channels that one of them has.

    Raises:
        UnsuitableAudio: Given stems differ in rate or length, or their channels do not go together.
    """
    first, *others = sources.values()
    for other in others:
        for quantity, unit in (("sample_rate", "Hz"), ("frames", "samples")):
            one = getattr(first.properties, quantity)
            two = getattr(other.properties, quantity)
            if one != two:
                raise UnsuitableAudio(
                    f"{first.name} has {one} {unit}, {other.name} has {two}",
                    "Given stems must have the same rate and length: export them together.",
                )
    channels = max(source.properties.channels for source in sources.values())
    for source in sources.values():
        if source.properties.channels not in (1, channels):
            raise UnsuitableAudio(
                f"{source.name} has {source.properties.channels} channels, "
                f"another given stem has {channels}",
                "Given stems must be mono, or have the same number of channels.",
            )
    widest = max(sources.values(), key=lambda source: source.properties.channels).properties
    return dataclasses.replace(widest, subtype=first.properties.subtype)


def plan(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: ImputeOptions
) -> TaskPlan:
    """The chunks and the network calls of an imputation.

    Raises:
        UnsuitableAudio: As ``describe_output``.
    """
    given = describe_output(model, sources, options)
    total = resampled_length(given.frames, given.sample_rate, model.spec.sample_rate)
    return plan_music(model.spec, total, options)


def run(
    model: LoadedModel,
    sources: Mapping[str, AudioSource],
    options: ImputeOptions,
    store: ChunkStore,
    progress: Progress,
) -> StemStream:
    """Impute stems that go with the given ones.

    The model is mono: it hears the mean of the channels, and imputed stems are the same in each.

    Args:
        model: The model.
        sources: The given stems, by name. Each is read once.
        options: How.
        store: Keeps what was drawn of each chunk.
        progress: Receives each network call.

    Returns:
        The targets, and the mixture of them and the given stems, at the rate of these.

    Raises:
        UnsuitableAudio: As ``describe_output``.
    """
    planned = plan(model, sources, options)
    calls = Calls(progress)
    progress.start(next(iter(sources.values())).name, planned.calls)
    asked = dataclasses.replace(options, controls=let_targets_play(model.spec, options))
    draw = choose_draw(model, "impute", asked, planned, (calls, store))
    output = describe_output(model, sources, options)

    def draw_all(reads: Mapping[int, Read]) -> Iterator[Array]:
        if options.sketch is not None:
            reads = {stem: widen(read) for stem, read in reads.items()}
        return draw_chunks(draw, planned, reads, calls.stop)

    return StemStream(_impute(model.spec, sources, options, draw_all, output), calls)


def let_targets_play(spec: ModelSpec, options: ImputeOptions) -> Controls:
    """The controls of an imputation: a person who asks for a stem wants it to play."""
    controls = options.controls
    if controls.playing:
        return controls
    playing = tuple(True if name in options.targets else None for name in spec.stems)
    return dataclasses.replace(controls, playing=playing)


def _impute(
    spec: ModelSpec,
    sources: Mapping[str, AudioSource],
    options: ImputeOptions,
    draw_all: Callable[[Mapping[int, Read]], Iterator[Array]],
    output: AudioProperties,
) -> Iterator[StemBlock]:
    targets = [spec.stems.index(name) for name in options.targets]
    up = StreamResampler(spec.sample_rate, output.sample_rate, len(targets))
    with ExitStack() as stack:
        given = {
            name: SharedReader(stack.enter_context(source.open()))
            for name, source in sources.items()
        }
        reads = {
            spec.stems.index(name): _read_mono(SongWindows(reader, spec.sample_rate))
            for name, reader in given.items()
        }

        def mix(imputed: Array) -> StemBlock:
            count = imputed.shape[1]
            mixture = np.broadcast_to(imputed.sum(0), (output.channels, count))
            for reader in given.values():
                mixture = mixture + reader.read_again(count)
            stems = {
                name: np.broadcast_to(stem, mixture.shape)
                for name, stem in zip(options.targets, imputed, strict=True)
            }
            return StemBlock(stems, mixture)

        for core in draw_all(reads):
            yield mix(up.push(core[targets]))
        yield mix(up.finish(output.frames))


def _read_mono(windows: SongWindows) -> Read:
    return lambda start, stop: windows.read(start, stop).mean(0)
