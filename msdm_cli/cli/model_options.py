"""Options that depend on the model: its stems, its presets, and the model itself."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from msdm_cli.cli.display import Display
from msdm_cli.cli.options import Quality

if TYPE_CHECKING:
    from msdm_cli.backends.runtime import Runtime
    from msdm_cli.diffusion.samplers import Preset
    from msdm_cli.interface import Model
    from msdm_cli.models.spec import ModelSpec


def find_spec(name: str) -> "ModelSpec":
    """The spec of a model. It is read without the network, and so before a mistake costs time.

    Raises:
        WeightsError: The model is not on this machine, or damaged.
        UnreadableSpec: The spec is of another version.
    """
    from msdm_cli.models.registry import find_entry
    from msdm_cli.models.spec import load_spec
    from msdm_cli.models.verify import check_file

    entry = find_entry(name)
    return load_spec(check_file(entry, entry.spec))


def check_stems(names: Sequence[str], spec: "ModelSpec", option: str) -> tuple[str, ...]:
    """Each stem once, in the order that was asked for.

    Raises:
        BadParameter: The model has no stem of that name.
    """
    for name in names:
        if name not in spec.stems:
            raise typer.BadParameter(
                f"{name} is no stem of the model {spec.name}; it has {', '.join(spec.stems)}",
                param_hint=option,
            )
    return tuple(dict.fromkeys(names))


SAMPLER_OPTIONS = {
    "num_resamples": "--num-resamples",
    "churn": "--churn",
    "mixture_scale": "--gamma",
    "anchor": "--anchor",
}
"""The command line's names for fields of the options of samplers."""


def find_anchor(name: str | None, spec: "ModelSpec") -> int | None:
    """The index of a stem.

    Raises:
        BadParameter: The model has no stem of that name.
    """
    if name is None:
        return None
    (stem,) = check_stems([name], spec, "--anchor")
    return spec.stems.index(stem)


def choose_preset(
    spec: "ModelSpec",
    task: str,
    sampler: str | None,
    quality: Quality,
    steps: int | None,
    options: Mapping[str, Any] | None = None,
) -> "Preset":
    """The settings of a task: those of a quality, or of a sampler by name.

    Args:
        spec: The model.
        task: The task.
        sampler: Name of a sampler.
        quality: Quality, where no sampler is named.
        steps: Number of steps, if another than that of the settings.
        options: Values for fields of ``SAMPLER_OPTIONS``; None is left as it is.

    Raises:
        BadParameter: The model has no such sampler, it is asked for in another quality, or it does
            not work with so few steps, or with such options.
        MissingPreset: The model has no such quality, or does not do the task at all.
    """
    return _change_preset(_find_preset(spec, task, sampler, quality), steps, options or {})


def choose_music_presets(
    spec: "ModelSpec",
    task: str,
    sampler: str | None,
    quality: Quality,
    steps: int | None,
    options: Mapping[str, Any],
) -> "tuple[Preset, Preset | None]":
    """The settings of a task, and of the sketch that it draws first, if it does.

    Arguments and errors are those of ``choose_preset``. Steps and options are those of the sketch
    where there is one: the sound of a sketch takes one call.
    """
    sketch = spec.sketch_preset(task, quality.value)
    if sketch is None:
        return choose_preset(spec, task, sampler, quality, steps, options), None
    return _find_preset(spec, task, sampler, quality), _change_preset(sketch, steps, options)


def _find_preset(spec: "ModelSpec", task: str, sampler: str | None, quality: Quality) -> "Preset":
    """The settings of a quality or of a sampler, as they are.

    Raises:
        BadParameter: The model has no such sampler, or it is asked for in another quality.
        MissingPreset: The model has no such quality, or does not do the task at all.
    """
    if sampler is not None:
        known = [name for name in spec.list_presets(task) if name not in list(Quality)]
        if sampler not in known:
            has = f"it has {', '.join(known)}" if known else "it has none to choose"
            raise typer.BadParameter(
                f"{sampler} is no sampler of the model {spec.name} to {task}; {has}",
                param_hint="--sampler",
            )
        if quality is not Quality.default:
            raise typer.BadParameter(
                f"the sampler {sampler} has one quality", param_hint="--quality"
            )
    return spec.preset(task, sampler or quality.value)


def _change_preset(preset: "Preset", steps: int | None, options: Mapping[str, Any]) -> "Preset":
    """A preset with other steps and options; None is left as it is.

    Raises:
        BadParameter: The sampler does not work with so few steps, or with such options.
    """
    try:
        preset = preset.with_steps(steps)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--steps") from error
    for field, value in options.items():
        if value is not None:
            preset = _change_option(preset, field, value)
    return preset


def _change_option(preset: "Preset", field: str, value: Any) -> "Preset":
    """A preset with another value of one option.

    Raises:
        BadParameter: The sampler has no such option, or not with such a value.
    """
    hint = SAMPLER_OPTIONS[field]
    fields = [one.name for one in dataclasses.fields(preset.options)]
    if field not in fields:
        has = ", ".join(option for name, option in SAMPLER_OPTIONS.items() if name in fields)
        raise typer.BadParameter(
            f"the sampler {preset.sampler} has {has or 'no such option'}; see --sampler",
            param_hint=hint,
        )
    try:
        return preset.with_options({field: value})
    except ValueError as error:
        raise typer.BadParameter(f"{value} is out of range", param_hint=hint) from error


def load_chosen(name: str, runtime: "Runtime", display: Display) -> "Model":
    """A model on the runtime that was chosen. The display says that it is being loaded.

    Raises:
        WeightsError: The model is not on this machine, or damaged.
        ModelError: It cannot run here.
    """
    with display.loading(name):
        from msdm_cli.interface import load_model

        return load_model(name, **dataclasses.asdict(runtime))
