"""``msdm impute``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.batch import estimate_batch, run_batch
from msdm_cli.cli.beside import Beside, MidiOption, PageOption, ProjectOption
from msdm_cli.cli.display import STOPPED, Display
from msdm_cli.cli.given_stems import choose_folder, choose_targets, name_stems
from msdm_cli.cli.model_options import choose_music_presets, find_spec, load_chosen
from msdm_cli.cli.music_options import (
    GivenKeyOption,
    GivenTempoOption,
    StyleOption,
    choose_controls,
    inherit,
    recall_controls,
)
from msdm_cli.cli.option_checks import choose_output, split_names
from msdm_cli.cli.options import (
    PART,
    ChurnOption,
    DryRunOption,
    FormatOption,
    JsonOption,
    OverwriteOption,
    PriorQualityOption,
    PriorSamplerOption,
    PriorStepsOption,
    Quality,
    QuietOption,
    RateOption,
    ResamplesOption,
    SeedOption,
    SubtypeOption,
    VariationsOption,
)
from msdm_cli.cli.places import offer_folder
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
from msdm_cli.cli.times import parse_time
from msdm_cli.models.registry import EMBEDDED

NAME = "{stem}.{ext}"
"""Path of a result in the folder."""
STEMS = "Stems"
"""The group of the options that say what is there and what is missing, the first in the help."""


def impute(  # noqa: PLR0913  an option each
    given: Annotated[
        list[str],
        typer.Option(
            "--given",
            metavar="[STEM=]PATH",
            rich_help_panel=STEMS,
            help="A stem that exists, or a folder of stems, or its msdm.json. Repeat it for "
            "others. STEM= may be left out if the file's name has it.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="STEM,...",
            callback=split_names,
            rich_help_panel=STEMS,
            help="Stems to impute, such as piano,bass. By default all that are not given.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        offer_folder(
            "Folder of the results. By default the path of the first given stem, or of the one "
            "that is drawn anew in part, without its suffix."
        ),
    ] = None,
    *,
    start: Annotated[
        float | None,
        typer.Option(
            "--from",
            metavar="TIME",
            parser=parse_time,
            rich_help_panel=PART,
            help="Impute from here on, 0:30. Before, a target that is given stays as it is "
            "(in 16 and 24 bits, bit for bit); one that is not given is silent.",
        ),
    ] = None,
    stop: Annotated[
        float | None,
        typer.Option(
            "--to",
            metavar="TIME",
            parser=parse_time,
            rich_help_panel=PART,
            help="Impute up to here; the same holds after it.",
        ),
    ] = None,
    tempo: GivenTempoOption = None,
    key: GivenKeyOption = None,
    style: StyleOption = None,
    variations: VariationsOption = 1,
    quality: PriorQualityOption = Quality.default,
    steps: PriorStepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: PriorSamplerOption = None,
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
    must have the same sample rate and length.

    With --from and --to a part of a stem that is there is drawn anew: give it, and name it as the
    target. If the given stems are of a take, tempo, key and style are those in its msdm.json. Else
    tempo and key are heard in the stems, and the summary tells them.

    What the embedded model imputes is simple, and follows the given stems in beat and harmony.

    \b
    Examples:
      msdm impute --given drums.wav --target piano
      msdm impute --given drums=take3.wav --given bass.wav --variations 4
      msdm impute --given generated/seed-1 --target piano --from 0:04 --to 0:08
    """  # noqa: D301  \b keeps the lines of the examples
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.tasks.impute import ImputeOptions

    spec = find_spec(model_name)
    part = choose_part(start, stop)
    stems = name_stems(given, spec.stems, () if part else target or ())
    targets = choose_targets(target or (), stems, spec, in_part=part is not None)
    changes = {"num_resamples": num_resamples, "churn": churn}
    controls = choose_controls(spec, "impute", tempo=tempo, key=key, style=style)
    preset, sketch = choose_music_presets(spec, "impute", sampler, quality, steps, changes)
    if sketch:
        controls = inherit(controls, recall_controls(stems, spec))
    seeds = choose_seeds(seed, variations, preset)
    request = JobRequest(
        task="impute",
        model=model_name,
        runtime=choose_runtime(device, backend, provider, precision, threads, preset),
        options=ImputeOptions(preset, seed, targets, sketch, controls, part),
        inputs=stems,
        folder=folder or choose_folder(stems, targets),
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


def choose_part(start: float | None, stop: float | None) -> tuple[float, float | None] | None:
    """The part that is imputed; None for all.

    Raises:
        BadParameter: It ends before it begins.
    """
    if start is None and stop is None:
        return None
    part = start or 0.0, stop
    if stop is not None and stop <= part[0]:
        raise typer.BadParameter(f"{stop:g} s is not after {part[0]:g} s", param_hint="--to")
    return part
