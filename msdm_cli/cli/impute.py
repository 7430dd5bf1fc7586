"""``msdm impute``."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.batch import estimate_batch, run_batch
from msdm_cli.cli.beside import Beside, MidiOption, PageOption, ProjectOption
from msdm_cli.cli.display import STOPPED, Display
from msdm_cli.cli.model_options import check_stems, choose_preset, find_spec, load_chosen
from msdm_cli.cli.music_options import KeyOption, StyleOption, choose_controls
from msdm_cli.cli.option_checks import choose_output, split_names
from msdm_cli.cli.options import (
    RESULTS,
    ChurnOption,
    DryRunOption,
    FormatOption,
    JsonOption,
    OverwriteOption,
    PriorQualityOption,
    PriorStepsOption,
    Quality,
    QuietOption,
    RateOption,
    ResamplesOption,
    SamplerOption,
    SeedOption,
    SubtypeOption,
    VariationsOption,
)
from msdm_cli.cli.runtime_options import (
    BackendOption,
    DeviceOption,
    ModelOption,
    PrecisionOption,
    ProviderOption,
    ThreadsOption,
    choose_runtime,
)
from msdm_cli.cli.takes import choose_seeds, describe_stop
from msdm_cli.models.registry import EMBEDDED

if TYPE_CHECKING:
    from msdm_cli.models.spec import ModelSpec

NAME = "{stem}.{ext}"
"""Path of a result in the folder."""


def impute(  # noqa: PLR0913  an option each
    given: Annotated[
        list[str],
        typer.Option(
            "--given",
            metavar="[STEM=]PATH",
            help="A stem that exists. Repeat it for others. STEM= may be left out if the file's "
            "name has it.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="STEM,...",
            callback=split_names,
            help="Stems to impute, such as piano,bass. By default all that are not given.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            rich_help_panel=RESULTS,
            help="Folder of the results. By default the path of the first given stem, without its "
            "suffix.",
        ),
    ] = None,
    *,
    key: KeyOption = None,
    style: StyleOption = None,
    variations: VariationsOption = 1,
    quality: PriorQualityOption = Quality.default,
    steps: PriorStepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: SamplerOption = None,
    num_resamples: ResamplesOption = None,
    churn: ChurnOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    provider: ProviderOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = 0,
    file_format: FormatOption = "wav",
    subtype: SubtypeOption = None,
    rate: RateOption = None,
    page: PageOption = True,
    project: ProjectOption = None,
    midi: MidiOption = False,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Impute the stems that are missing beside given ones.

    The imputed stems, copies of the given ones and the mixture of all of them go to DIR, with a
    description of how they were made, msdm.json. Several takes go to DIR/seed-N each. Given stems
    must have one sample rate and one length.

    What the embedded model imputes follows the given stems in beat and harmony, but its sound is
    smeared.

    \b
    Examples:
      msdm impute --given drums.wav --target piano
      msdm impute --given drums=take3.wav --given bass.wav --variations 4
    """  # noqa: D301  \b keeps the lines of the examples
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.tasks.impute import ImputeOptions

    spec = find_spec(model_name)
    stems = name_stems(given, spec.stems)
    targets = choose_targets(target or (), stems, spec)
    changes = {"num_resamples": num_resamples, "churn": churn}
    controls = choose_controls(spec, "impute", key=key, style=style)
    preset = choose_preset(spec, "impute", sampler, quality, steps, changes)
    sketch = spec.sketch_preset("impute", quality.value)
    seeds = choose_seeds(seed, variations, preset)
    request = JobRequest(
        task="impute",
        model=model_name,
        runtime=choose_runtime(device, backend, provider, precision, threads, preset),
        options=ImputeOptions(preset, seed, targets, sketch, controls),
        inputs=stems,
        folder=folder or next(iter(stems.values())).with_suffix(""),
        output=choose_output(file_format, subtype, rate, NAME),
        overwrite=overwrite,
    )
    name = ", ".join(targets)
    requests = {name: request}
    farewell = STOPPED
    if variations > 1:
        requests = {
            f"{name}, seed {number}": replace(
                request.with_seed(number), folder=request.folder / f"seed-{number}"
            )
            for number in seeds
        }
        farewell = describe_stop(seed, seeds)
    display = Display(quiet=quiet, as_json=as_json, farewell=farewell)
    load = partial(load_chosen, model_name, request.runtime, display)
    if dry_run:
        label = name if variations == 1 else f"{name}, one take"
        estimate_batch({label: request}, load(), display)
        return
    run_batch(
        "imputed",
        requests,
        load,
        beside=Beside(display, page, project, midi),
        jobs=request.runtime.devices,
    )


def choose_targets(
    asked: Sequence[str], given: Mapping[str, Path], spec: "ModelSpec"
) -> tuple[str, ...]:
    """The stems to impute: what was asked for, else all that are not given.

    Raises:
        BadParameter: A target is no stem of the model or is given, or no stem is missing.
    """
    targets = check_stems(asked, spec, "--target")
    targets = targets or tuple(stem for stem in spec.stems if stem not in given)
    for name in targets:
        if name in given:
            raise typer.BadParameter(f"{name} is given and a target", param_hint="--target")
    if not targets:
        raise typer.BadParameter("every stem is given: nothing is missing", param_hint="--given")
    return targets


def name_stems(given: Sequence[str], stems: Sequence[str]) -> dict[str, Path]:
    """Paths of given stems, by name.

    Args:
        given: ``stem=path``, or a path whose file name contains the name of one stem.
        stems: The stems of the model.

    Raises:
        BadParameter: A stem is unknown, given twice, or cannot be told from the file's name.
        NoSongs: A path is an address on the network.
    """
    from msdm_cli.cli.songs import refuse_address

    named: dict[str, Path] = {}
    for value in given:
        stem, path = _split(value, stems)
        if not path:
            raise typer.BadParameter(f"{stem} has no path", param_hint="--given")
        refuse_address(path)
        if stem in named:
            raise typer.BadParameter(f"{stem} is given twice", param_hint="--given")
        named[stem] = Path(path)
    return named


def _split(value: str, stems: Sequence[str]) -> tuple[str, str]:
    """The stem and the path of a value."""
    name, equals, path = value.partition("=")
    if equals and name in stems:
        return name, path
    if equals and not Path(value).exists():
        raise typer.BadParameter(f"{name} is none of {', '.join(stems)}", param_hint="--given")
    found = [stem for stem in stems if stem.casefold() in Path(value).stem.casefold()]
    if len(found) != 1:
        raise typer.BadParameter(
            f"which stem is {value}? Write --given {stems[0]}={value}", param_hint="--given"
        )
    return found[0], value
