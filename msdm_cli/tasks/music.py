"""What imputation and generation share: in one step or in two, as the model has it."""

from typing import Protocol

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec
from msdm_cli.representations.sketch import MARGIN
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.cascade import Cascade, CascadeOptions
from msdm_cli.tasks.continuation import Continuation, Draw
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.course import Stretch, lay_chunks
from msdm_cli.tasks.known import Given, rest
from msdm_cli.tasks.sampling import ChunkSampler
from msdm_cli.tasks.stream import ChunkStore, TaskPlan


class MusicOptions(Protocol):
    """The options that imputation and generation have in common."""

    @property
    def preset(self) -> Preset:
        """Sampler and settings of the sound."""

    @property
    def sketch(self) -> Preset | None:
        """Sampler and settings of the sketch; None for a model that draws none."""

    @property
    def seed(self) -> int | None:
        """Of the noise."""

    @property
    def controls(self) -> Controls:
        """What is asked of the sketch."""


def plan_music(spec: ModelSpec, stretch: Stretch, options: MusicOptions) -> TaskPlan:
    """The chunks and network calls of a stretch of a piece.

    Raises:
        ValueError: Of more stems than there are it is said whether they play.
    """
    playing, stems = len(options.controls.playing), len(spec.stems)
    if playing > stems:
        raise ValueError(f"expected up to {stems} stems that play or rest, got {playing}")
    calls = options.preset.calls
    unit = 1
    if options.sketch is not None:
        # Chunks begin and end with tokens of the sketch.
        calls += options.sketch.calls
        unit = TOKEN_SAMPLES
    chunks = lay_chunks(spec, stretch, unit)
    return TaskPlan(chunks, calls, 1, stems, independent=False)


def find_margin(options: MusicOptions) -> int:
    """Samples around a window that are read of given stems, for their sketches."""
    return 0 if options.sketch is None else MARGIN


def let_rest(options: MusicOptions) -> dict[int, Given]:
    """The stems that are asked to rest, by their index: it is known that they are silent."""
    margin = find_margin(options)
    return {
        stem: Given(rest, margin=margin)
        for stem, plays in enumerate(options.controls.playing)
        if plays is not None and not plays  # numpy's False rests, too
    }


def choose_draw(
    model: LoadedModel,
    task: str,
    options: MusicOptions,
    planned: TaskPlan,
    kept: tuple[Calls, ChunkStore],
) -> Draw:
    """What draws the chunks of a plan.

    Args:
        model: The model.
        task: impute or generate.
        options: How.
        planned: The chunks.
        kept: What counts network calls, and what keeps chunks.
    """
    calls, store = kept
    on_one = model.keep(options.seed or 0)
    if options.sketch is None:
        stage = on_one.for_stage(model.spec.list_stages(task)[-1])
        sampler = ChunkSampler(stage, options.preset, options.seed, calls)
        return Continuation(sampler, store, planned.calls_per_chunk).draw
    how = CascadeOptions(options.sketch, options.preset, options.seed, options.controls)
    return Cascade(on_one, task, how, calls, store, len(planned.chunks)).draw
