"""What imputation and generation share: in one step or in two, as the model has it."""

from typing import Protocol

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.cascade import Cascade, CascadeOptions, plan_cascade
from msdm_cli.tasks.continuation import Continuation, Draw, plan_continuation
from msdm_cli.tasks.controls import Controls
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


def plan_music(spec: ModelSpec, total: int, options: MusicOptions) -> TaskPlan:
    """The chunks and network calls of ``total`` samples at the model's rate."""
    cascade = _describe_cascade(options)
    if cascade is None:
        return plan_continuation(spec, total, options.preset.calls)
    return plan_cascade(spec, total, cascade)


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
    cascade = _describe_cascade(options)
    if cascade is None:
        stage = on_one.for_stage(model.spec.list_stages(task)[-1])
        sampler = ChunkSampler(stage, options.preset, options.seed, calls)
        return Continuation(sampler, store, planned.calls_per_chunk).draw
    return Cascade(on_one, task, cascade, calls, store, len(planned.chunks)).draw


def _describe_cascade(options: MusicOptions) -> CascadeOptions | None:
    if options.sketch is None:
        return None
    return CascadeOptions(options.sketch, options.preset, options.seed, options.controls)
