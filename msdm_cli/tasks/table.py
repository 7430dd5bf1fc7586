"""The three tasks in one table: each has the same shape."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from msdm_cli.audio.formats import Subtype
from msdm_cli.audio.source import AudioProperties, AudioSource
from msdm_cli.audio.stem_finish import Finish, ScaleFinish, SumFinish
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks import generate, impute, separate
from msdm_cli.tasks.stream import StemStream, TaskPlan


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        options: Class of its options.
        look: Has a first look at the sources, from spec and sources.
        name_outputs: Names of what is written, from spec and options.
        describe_output: Rate, channels and length of what is written, from model, sources and
            options.
        plan: Chunks and network calls, from model, sources and options.
        run: Does it, with model, sources, options, store and progress.
        finish: Makes blocks ready to be written, without a gain, from options, subtype and names of
            the inputs.
        copies_inputs: Whether inputs that are no results are copied beside these.
        cut: Options for the first seconds of a job, from options and a number of seconds.
    """

    options: type[Any]
    look: Callable[[ModelSpec, Mapping[str, AudioSource]], None]
    name_outputs: Callable[..., tuple[str, ...]]
    describe_output: Callable[..., AudioProperties]
    plan: Callable[..., TaskPlan]
    run: Callable[..., StemStream]
    finish: Callable[[Any, Subtype, Collection[str]], Finish]
    copies_inputs: bool = False
    cut: Callable[[Any, float], Any] = lambda options, seconds: options


def look_at_stems(spec: ModelSpec, sources: Mapping[str, AudioSource]) -> None:
    """Have a first look at each source: for its length, and its level if the model has one.

    Raises:
        AudioError: One cannot be decoded.
    """
    for source in sources.values():
        source.look(level=spec.level_db is not None)


TASKS = {
    "separate": Task(
        options=separate.SeparateOptions,
        look=separate.look,
        name_outputs=separate.name_outputs,
        describe_output=separate.describe_output,
        plan=separate.plan,
        run=separate.run,
        finish=lambda options, subtype, inputs: SumFinish(subtype, mixes=options.mixes),
    ),
    "impute": Task(
        options=impute.ImputeOptions,
        look=look_at_stems,
        name_outputs=impute.name_outputs,
        describe_output=impute.describe_output,
        plan=impute.plan,
        run=impute.run,
        finish=lambda options, subtype, inputs: ScaleFinish(subtype, stay=inputs),
        copies_inputs=True,
        cut=impute.cut,
    ),
    "generate": Task(
        options=generate.GenerateOptions,
        look=look_at_stems,
        name_outputs=generate.name_outputs,
        describe_output=generate.describe_output,
        plan=generate.plan,
        run=generate.run,
        finish=lambda options, subtype, inputs: ScaleFinish(subtype, stay=inputs),
        cut=lambda options, seconds: replace(options, seconds=min(options.seconds, seconds)),
    ),
}
