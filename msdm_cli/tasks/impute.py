"""Imputation: some stems in, the missing ones out, of any length."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from msdm_cli.audio.source import AudioProperties, AudioSource
from msdm_cli.audio.stem_finish import MIXTURE
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import UnsuitableAudio
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
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.original import describe_given
from msdm_cli.tasks.stream import ChunkStore, StemStream, TaskPlan


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
        part: Beginning and end, in seconds, of what is imputed of the targets; all of them if None,
            and up to their end if the second one is None. The rest of a target stays as it is where
            the target is given; elsewhere it is silent.
    """

    preset: Preset
    seed: int | None = None
    targets: tuple[str, ...] = ()
    sketch: Preset | None = None
    controls: Controls = field(default_factory=Controls)
    part: tuple[float, float | None] | None = None

    def __post_init__(self) -> None:
        if self.part is not None:
            first, stop = self.part
            if not 0 <= first < (math.inf if stop is None else stop):  # NaN is not, either
                raise ValueError(f"expected a part that begins before it ends, got {self.part}")


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
    # What stays of a stem that is drawn in part needs the subtype that it has.
    kept = [name for name in options.targets if name in sources]
    return describe_given(sources, kept or [next(iter(sources))])


def want(output: AudioProperties, options: ImputeOptions) -> Completion:
    """What is wanted beside the given stems.

    Raises:
        UnsuitableAudio: The part begins after the end, or is shorter than a sample.
    """
    first, stop = options.part or (0, None)
    last = output.seconds
    begin = round(min(first, last) * output.sample_rate)
    end = round(min(math.inf if stop is None else stop, last) * output.sample_rate)
    if begin >= output.frames:
        raise UnsuitableAudio(
            f"the given stems have {output.seconds:g} s, so that there is nothing from "
            f"{first:g} s on",
            "Choose a part that begins earlier.",
        )
    if begin >= end:
        raise UnsuitableAudio(
            f"the part from {first:g} s to {stop:g} s has no sample", "Choose a longer part."
        )
    return Completion(options.targets, output, (begin, end))


def plan(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: ImputeOptions
) -> TaskPlan:
    """The chunks and the network calls of an imputation.

    Raises:
        UnsuitableAudio: As ``describe_output`` and ``want``.
    """
    output = describe_output(model, sources, options)
    return plan_completion(model.spec, options, want(output, options))


def cut(options: ImputeOptions, seconds: float) -> ImputeOptions:
    """Options for the first seconds of a job: a part lies at the beginning then."""
    if options.part is None:
        return options
    first, stop = options.part
    length = seconds if stop is None else min(seconds, stop - first)
    return dataclasses.replace(options, part=(0.0, length))


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
    wanted = want(describe_output(model, sources, options), options)
    asked, heard = hear_given(sources, options, wanted)
    asked = dataclasses.replace(asked, controls=let_targets_play(model.spec, asked))
    blocks = complete(model, "impute", sources, asked, wanted, (calls, store))
    return StemStream(blocks, calls, heard)


def let_targets_play(spec: ModelSpec, options: ImputeOptions) -> Controls:
    """The controls of an imputation: a person who asks for a stem wants it to play."""
    controls = options.controls
    if controls.playing:
        return controls
    playing = tuple(True if name in options.targets else None for name in spec.stems)
    return dataclasses.replace(controls, playing=playing)
