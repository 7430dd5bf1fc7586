"""Generation: new music with its stems, of any length."""

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
from msdm_cli.tasks.continuation import draw_chunks
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.music import choose_draw, plan_music
from msdm_cli.tasks.stream import ChunkStore, StemBlock, StemStream, TaskPlan

Array = NDArray[np.float32]

LONGEST_SECONDS = 24 * 3600
"""A day of music."""


@dataclass(frozen=True)
class GenerateOptions:
    """How music is generated.

    Attributes:
        preset: Sampler and settings.
        seed: Of the noise; None for a sampler that uses none.
        seconds: Length.
        sketch: Sampler and settings of the sketch, of a model that draws one first.
        controls: What is asked for, of such a model.
    """

    preset: Preset
    seed: int | None
    seconds: float
    sketch: Preset | None = None
    controls: Controls = field(default_factory=Controls)

    def __post_init__(self) -> None:
        if not self.seconds <= LONGEST_SECONDS:  # NaN is not, either
            raise ValueError(f"expected up to {LONGEST_SECONDS} s, got {self.seconds}")


def name_outputs(spec: ModelSpec, options: GenerateOptions) -> tuple[str, ...]:
    """Names of what is written."""
    return (*spec.stems, MIXTURE)


def describe_output(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: GenerateOptions
) -> AudioProperties:
    """Mono, at the model's rate.

    Raises:
        NoLength: The length is less than a sample.
    """
    rate = model.spec.sample_rate
    frames = round(options.seconds * rate)
    if frames < 1:
        raise NoLength(f"{options.seconds} s is no length", "Ask for a second or more.")
    return AudioProperties(rate, 1, frames, "PCM_16")


def plan(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: GenerateOptions
) -> TaskPlan:
    """The chunks and the network calls of a generation.

    Raises:
        NoLength: The length is less than a sample.
    """
    total = describe_output(model, sources, options).frames
    return plan_music(model.spec, total, options)


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
        sources: Nothing.
        options: How.
        store: Keeps what was drawn of each chunk.
        progress: Receives each network call.

    Returns:
        All stems of the model and their sum.

    Raises:
        NoLength: The length is less than a sample.
    """
    planned = plan(model, sources, options)
    calls = Calls(progress)
    label = "music" if options.seed is None else f"seed {options.seed}"
    progress.start(label, planned.calls)
    draw = choose_draw(model, "generate", options, planned, (calls, store))
    return StemStream(_generate(model.spec, draw_chunks(draw, planned, {}, calls.stop)), calls)


def _generate(spec: ModelSpec, cores: Iterator[Array]) -> Iterator[StemBlock]:
    for core in cores:
        stems = {name: stem[None] for name, stem in zip(spec.stems, core, strict=True)}
        yield StemBlock(stems, core.sum(0)[None])
