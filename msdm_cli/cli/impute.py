"""``msdm impute``."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.batch import run_batch
from msdm_cli.cli.console import show_estimates
from msdm_cli.cli.display import STOPPED, Display
from msdm_cli.cli.options import (
    Backend,
    BackendOption,
    DeviceOption,
    DryRunOption,
    FileFormat,
    FormatOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    Precision,
    PrecisionOption,
    PriorSampler,
    PriorSamplerOption,
    ProviderOption,
    Quality,
    QualityOption,
    QuietOption,
    SeedOption,
    Stem,
    StepsOption,
    SubtypeOption,
    VariationsOption,
    choose_runtime,
    draw_seed,
    name_preset,
)
from msdm_cli.models.registry import EMBEDDED


def impute(
    given: Annotated[
        list[str],
        typer.Option("--given", metavar="[STEM=]PATH", help="A stem that is there; repeatable."),
    ],
    target: Annotated[
        list[Stem] | None,
        typer.Option(
            "--target", help="A stem to write; repeatable; all that are not given by default."
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder for the results; by default the path of the first given stem without its suffix.",
        ),
    ] = None,
    *,
    variations: VariationsOption = 1,
    quality: QualityOption = Quality.default,
    steps: StepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: PriorSamplerOption = PriorSampler.consistent,
    device: DeviceOption = "auto",
    backend: BackendOption = Backend.auto,
    provider: ProviderOption = None,
    precision: PrecisionOption = Precision.auto,
    file_format: FormatOption = FileFormat.wav,
    subtype: SubtypeOption = None,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Impute stems that go with given ones, which must have one rate and length.

    Written to DIR: the targets, copies of the given stems, and the mixture of them all. Several variations get a folder
    each, DIR/seed-N.
    """
    stems = _name_stems(given)
    targets = (
        tuple(stem.value for stem in target)
        if target
        else tuple(s.value for s in Stem if s.value not in stems)
    )
    if both := sorted(set(targets) & set(stems)):
        raise typer.BadParameter(f"{both[0]} is given and a target", param_hint="--target")
    if not targets:
        raise typer.BadParameter("every stem is given: nothing is missing", param_hint="--given")

    from msdm_cli.jobs.outputs import OutputOptions
    from msdm_cli.models.load import load_model
    from msdm_cli.tasks.impute import ImputeOptions, impute_stems

    folder, name = (
        folder or next(iter(stems.values())).with_suffix(""),
        ", ".join(dict.fromkeys(targets)),
    )
    model = load_model(model_name, choose_runtime(device, backend, provider, precision))
    options = ImputeOptions(
        preset=model.spec.preset("impute", name_preset(sampler, quality)).with_steps(steps),
        seed=seed,
        targets=tuple(dict.fromkeys(targets)),
        output=OutputOptions(file_format.value, subtype.value if subtype else None, overwrite),
    )
    if dry_run:
        from msdm_cli.jobs.estimate import estimate_imputation

        estimate = estimate_imputation(model, stems, options)
        label = name if variations == 1 else f"{name}, one variation"
        show_estimates({label: estimate}, str(model.runtime), as_json=as_json)
        return
    pieces, farewell = {name: partial(impute_stems, model, stems, folder, options)}, STOPPED
    if variations > 1:
        first = draw_seed(seed)
        chosen = [
            dataclasses.replace(options, seed=number) for number in range(first, first + variations)
        ]
        places = {
            f"{name}, seed {choice.seed}": (folder / f"seed-{choice.seed}", choice)
            for choice in chosen
        }
        pieces = {
            label: partial(impute_stems, model, stems, *place) for label, place in places.items()
        }
        farewell = f"stopped; the same command with --seed {first} goes on from here"
    display = Display(quiet=quiet, as_json=as_json, farewell=farewell)
    run_batch("imputed", str(model.runtime), pieces, display=display, jobs=model.devices)


def _name_stems(given: list[str]) -> dict[str, Path]:
    """Paths by stem: from ``stem=path``, else from the one stem's name that the file name contains."""
    stems: dict[str, Path] = {}
    for value in given:
        name, equals, path = value.partition("=")
        if equals and name in Stem.__members__:
            found = [name]
        elif equals and not Path(value).exists():
            raise typer.BadParameter(
                f"{name} is not one of {', '.join(Stem.__members__)}", param_hint="--given"
            )
        else:
            path = value
            found = [stem for stem in Stem.__members__ if stem in Path(value).stem.casefold()]
        if len(found) != 1:
            raise typer.BadParameter(
                f"which stem is {path}? Say --given drums={path}", param_hint="--given"
            )
        if not path:
            raise typer.BadParameter(f"{found[0]} has no path", param_hint="--given")
        if found[0] in stems:
            raise typer.BadParameter(f"{found[0]} is given twice", param_hint="--given")
        stems[found[0]] = Path(path)
    return stems
