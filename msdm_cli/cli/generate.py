"""``msdm generate``."""

import dataclasses
import time
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.console import ConsoleProgress, say, show_error, show_json, show_table, tell_of_gain
from msdm_cli.cli.options import (
    DeviceOption,
    FileFormat,
    FolderOption,
    FormatOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    PriorSampler,
    PriorSamplerOption,
    Quality,
    QualityOption,
    QuietOption,
    SeedOption,
    StepsOption,
    SubtypeOption,
    check_finite,
    draw_seed,
    name_preset,
)
from msdm_cli.errors import MsdmError
from msdm_cli.hub.registry import EMBEDDED


def generate(
    folder: FolderOption = Path("generated"),
    *,
    seconds: Annotated[float, typer.Option("--seconds", min=0, callback=check_finite, help="Length.")] = 12.0,
    variations: Annotated[int, typer.Option("--variations", min=1, help="How many; seeds count up.")] = 1,
    quality: QualityOption = Quality.default,
    steps: StepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: PriorSamplerOption = PriorSampler.consistent,
    device: DeviceOption = "auto",
    file_format: FormatOption = FileFormat.wav,
    subtype: SubtypeOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Generate music with its stems.

    Written to DIR/seed-N/{bass,drums,guitar,piano,mixture}.wav, with a description, msdm.json. What was stopped goes on
    if the same seed is given.
    """
    from msdm_cli.models.load import load_model
    from msdm_cli.pipelines.generate import GenerateOptions, generate_song
    from msdm_cli.pipelines.outputs import OutputOptions

    model = load_model(model_name, device)
    first = draw_seed(seed)
    if seed is None and not quiet:
        say(f"seed {first}")
    options = GenerateOptions(
        preset=model.spec.preset("generate", name_preset(sampler, quality)).with_steps(steps),
        seed=first,
        seconds=seconds,
        output=OutputOptions(file_format.value, subtype.value if subtype else None, overwrite),
    )
    rows, summary = [], []
    with ConsoleProgress(quiet=quiet) as progress:
        for number in range(first, first + variations):
            began = time.monotonic()
            chosen = dataclasses.replace(options, seed=number)
            try:
                done = generate_song(model, folder, chosen, progress)
            except MsdmError as error:
                show_error(error)
                rows.append((str(number), "failed", error.message))
                summary.append({"seed": number, "error": error.message, "hint": error.hint})
                continue
            elapsed = time.monotonic() - began
            if not quiet:
                tell_of_gain(f"seed {number}", done)
            speed = "was there" if done.skipped else f"{done.properties.seconds / elapsed:.1f}x real time"
            written = ", ".join(str(path) for path in done.files.values())
            rows.append((str(number), speed, written))
            summary.append({**dataclasses.asdict(done), "wall_seconds": round(elapsed, 3)})
    if as_json:
        show_json(summary)
    elif not quiet:
        show_table(f"{seconds:g} s, {model.device}", ("seed", "speed", "written"), rows)
    if any("error" in entry for entry in summary):
        raise typer.Exit(1)
