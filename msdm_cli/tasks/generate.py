"""Generation: new music with its stems, of any length, or the continuation of what is there."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.source import AudioProperties, AudioSource
from msdm_cli.audio.stem_finish import MIXTURE
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import NoLength
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec
from msdm_cli.progress import Progress
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.completion import (
    Completion,
    complete,
    hear_given,
    plan_completion,
)
from msdm_cli.tasks.continuation import Draw, draw_chunks
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.course import Stretch
from msdm_cli.tasks.loop import Loop
from msdm_cli.tasks.music import choose_draw, find_margin, let_rest, plan_music
from msdm_cli.tasks.original import describe_given
from msdm_cli.tasks.stream import ChunkStore, StemBlock, StemStream, TaskPlan

Array = NDArray[np.float32]

LONGEST_SECONDS = 24 * 3600
"""A day of music."""
USUAL_SECONDS = 12.0


@dataclass(frozen=True)
class GenerateOptions:
    """How music is generated.

    Attributes:
        preset: Sampler and settings.
        seed: Of the noise; None for a sampler that uses none.
        seconds: Length; of what is added, where there are stems to continue.
        sketch: Sampler and settings of the sketch, of a model that draws one first.
        controls: What is asked for, of such a model.
        loops: Whether the end leads to the beginning.
        continues: Whether stems are continued, which stay as they are: of what would clip, the
            mixture alone is made softer.
    """

    preset: Preset
    seed: int | None
    seconds: float
    sketch: Preset | None = None
    controls: Controls = field(default_factory=Controls)
    loops: bool = False
    continues: bool = False

    def __post_init__(self) -> None:
        # NaN is not, either.
        if not -LONGEST_SECONDS <= self.seconds <= LONGEST_SECONDS:
            raise ValueError(f"expected up to {LONGEST_SECONDS} s, got {self.seconds}")


def name_outputs(spec: ModelSpec, options: GenerateOptions) -> tuple[str, ...]:
    """Names of what is written."""
    return (*spec.stems, MIXTURE)


def describe_output(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: GenerateOptions
) -> AudioProperties:
    """Mono, at the model's rate; or as the stems that are continued.

    Raises:
        NoLength: The length is less than a sample.
        UnsuitableAudio: Stems that are continued differ in rate or length, or their channels do not
            go together.
    """
    there = AudioProperties(model.spec.sample_rate, 1, 0, "PCM_16")
    if sources:
        there = describe_given(sources, sources)
    frames = round(options.seconds * there.sample_rate)
    if frames < 1:
        raise NoLength(f"{options.seconds} s is no length", "Ask for a second or more.")
    return dataclasses.replace(there, frames=there.frames + frames)


def want(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: GenerateOptions
) -> Completion:
    """What is wanted beside stems that are continued: all that follows them.

    Raises:
        NoLength, UnsuitableAudio: As ``describe_output``.
    """
    output = describe_output(model, sources, options)
    there = next(iter(sources.values())).properties.frames
    resting = tuple(model.spec.stems[stem] for stem in let_rest(options))
    return Completion(model.spec.stems, output, (there, output.frames), resting, rested=True)


def plan(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: GenerateOptions
) -> TaskPlan:
    """The chunks and the network calls of a generation.

    Raises:
        NoLength: The length is less than a sample.
        UnsuitableAudio: As ``describe_output``.
    """
    if sources:
        return plan_completion(model.spec, options, want(model, sources, options))
    output = describe_output(model, sources, options)
    lead = model.spec.context if options.loops else 0
    return plan_music(model.spec, Stretch(output.frames + lead, loops=options.loops), options)


def run(
    model: LoadedModel,
    sources: Mapping[str, AudioSource],
    options: GenerateOptions,
    store: ChunkStore,
    progress: Progress,
) -> StemStream:
    """Generate stems and their mixture.

    Args:
        model: The model.
        sources: Stems to continue, by name. A stem of the model that is not among them has rested
            up to their end.
        options: How.
        store: Keeps what was drawn of each chunk.
        progress: Receives each network call.

    Returns:
        All stems of the model and their sum; what is continued comes first, as it is.

    Raises:
        NoLength: The length is less than a sample.
        UnsuitableAudio: As ``describe_output``.
    """
    planned = plan(model, sources, options)
    calls = Calls(progress)
    label = "music" if options.seed is None else f"seed {options.seed}"
    progress.start(label, planned.calls)
    kept = calls, store
    if sources:
        wanted = want(model, sources, options)
        asked, heard = hear_given(sources, options, wanted)
        blocks = complete(model, "generate", sources, asked, wanted, kept)
        return StemStream(blocks, calls, heard)
    draw = _open(model, options, planned, kept)
    cores = draw_chunks(draw, planned, let_rest(options), calls.stop)
    return StemStream(_generate(model.spec, cores), calls)


def _open(
    model: LoadedModel,
    options: GenerateOptions,
    planned: TaskPlan,
    kept: tuple[Calls, ChunkStore],
) -> Draw:
    """What draws new music. A loop begins after a lead that is thrown away."""
    if not options.loops:
        return choose_draw(model, "generate", options, planned, kept)
    lead = model.spec.context
    asked = dataclasses.replace(
        options, controls=options.controls.delayed(lead / model.spec.sample_rate)
    )
    draw = choose_draw(model, "generate", asked, planned, kept)
    return Loop(draw, planned.chunks, lead, find_margin(options)).draw


def _generate(spec: ModelSpec, cores: Iterator[Array]) -> Iterator[StemBlock]:
    for core in cores:
        stems = {name: stem[None] for name, stem in zip(spec.stems, core, strict=True)}
        yield StemBlock(stems, core.sum(0)[None])
