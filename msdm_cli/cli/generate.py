"""``msdm generate``."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.batch import run_batch
from msdm_cli.cli.console import show_estimates
from msdm_cli.cli.display import Display
from msdm_cli.cli.options import (
    Backend,
    BackendOption,
    DeviceOption,
    DryRunOption,
    FileFormat,
    FolderOption,
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
    StepsOption,
    SubtypeOption,
    VariationsOption,
    check_finite,
    choose_runtime,
    draw_seed,
    name_preset,
)
from msdm_cli.models.registry import EMBEDDED


def generate(
    folder: FolderOption = Path("generated"),
    *,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, callback=check_finite, help="Length.")
    ] = 12.0,
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
    """Generate music with its stems.

    Written to DIR/seed-N/{bass,drums,guitar,piano,mixture}.wav, with a description, msdm.json. What was stopped goes on
    if the same seed is given.
    """
    from msdm_cli.jobs.outputs import OutputOptions
    from msdm_cli.models.load import load_model
    from msdm_cli.tasks.generate import GenerateOptions, generate_song

    model = load_model(model_name, choose_runtime(device, backend, provider, precision))
    first = draw_seed(seed)
    options = GenerateOptions(
        preset=model.spec.preset("generate", name_preset(sampler, quality)).with_steps(steps),
        seed=first,
        seconds=seconds,
        output=OutputOptions(file_format.value, subtype.value if subtype else None, overwrite),
    )
    if dry_run:
        from msdm_cli.jobs.estimate import estimate_generation

        show_estimates(
            {"one variation": estimate_generation(model, options)},
            str(model.runtime),
            as_json=as_json,
        )
        return
    numbers = range(first, first + variations)
    chosen = {f"seed {number}": dataclasses.replace(options, seed=number) for number in numbers}
    pieces = {
        name: partial(generate_song, model, folder, choice) for name, choice in chosen.items()
    }
    farewell = f"stopped; the same command with --seed {first} goes on from here"
    display = Display(quiet=quiet, as_json=as_json, farewell=farewell)
    run_batch("variation", str(model.runtime), pieces, display=display, jobs=model.devices)
