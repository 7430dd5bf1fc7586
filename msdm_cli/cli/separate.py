"""``msdm separate``."""

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.console import ConsoleProgress, show_error, show_json, show_table, tell_of_gain
from msdm_cli.cli.options import (
    DeviceOption,
    FileFormat,
    FolderOption,
    FormatOption,
    JsonOption,
    ModelOption,
    NameOption,
    OverwriteOption,
    Quality,
    QualityOption,
    QuietOption,
    SeedOption,
    SeparationSampler,
    SeparationSamplerOption,
    Stem,
    StepsOption,
    SubtypeOption,
    check_finite,
    name_preset,
)
from msdm_cli.errors import MsdmError, UnwritableAudio
from msdm_cli.hub.registry import EMBEDDED

if TYPE_CHECKING:
    from msdm_cli.models.load import Model
    from msdm_cli.pipelines.outputs import OutputOptions
    from msdm_cli.pipelines.separate import SeparateOptions


def separate(
    songs: Annotated[
        list[str],
        typer.Argument(metavar="SONG...", help="wav, flac, ogg or mp3 files, folders, patterns, @list.txt."),
    ],
    folder: FolderOption = Path("stems"),
    *,
    stems: Annotated[list[Stem] | None, typer.Option("--stems", help="Write only this stem; repeatable.")] = None,
    start: Annotated[
        float, typer.Option("--start", min=0, callback=check_finite, help="Begin here, in seconds.")
    ] = 0.0,
    duration: Annotated[
        float | None, typer.Option("--duration", min=0, callback=check_finite, help="Only so many seconds.")
    ] = None,
    quality: QualityOption = Quality.default,
    steps: StepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: SeparationSamplerOption = SeparationSampler.consistent,
    device: DeviceOption = "auto",
    overlap: Annotated[
        float, typer.Option("--overlap", min=0, max=0.5, callback=check_finite, help="Share of a chunk.")
    ] = 0.25,
    residual: Annotated[
        bool, typer.Option("--residual", help="Write what lies above the model's band to a file of its own.")
    ] = False,
    file_format: FormatOption = FileFormat.wav,
    subtype: SubtypeOption = None,
    name: NameOption = "{track}/{stem}.{ext}",
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Separate songs into stems that sum to them.

    Written to DIR/SONG/{bass,drums,guitar,piano}.wav, with a description, msdm.json. What is there already, made by the
    same command, is not done again; what was stopped goes on.
    """
    from msdm_cli.models.load import load_model
    from msdm_cli.pipelines.inputs import expand_songs
    from msdm_cli.pipelines.outputs import OutputOptions
    from msdm_cli.pipelines.separate import SeparateOptions

    output = OutputOptions(file_format.value, subtype.value if subtype else None, overwrite, name)
    found = expand_songs(songs)
    _check_distinct(found, folder, output)
    model = load_model(model_name, device)
    options = SeparateOptions(
        preset=model.spec.preset("separate", name_preset(sampler, quality)).with_steps(steps),
        seed=seed,
        stems=tuple(stem.value for stem in stems or ()),
        start_seconds=start,
        duration_seconds=duration,
        overlap=overlap,
        residual=residual,
        output=output,
    )
    if not _separate_all(model, found, folder, options, quiet=quiet, as_json=as_json):
        raise typer.Exit(1)


def _check_distinct(songs: list[Path], folder: Path, output: "OutputOptions") -> None:
    """Refuse songs whose stems would land on each other, before anything runs."""
    seen: dict[str, Path] = {}
    for song in songs:
        place = output.place_manifest(folder, song.stem)
        other = seen.setdefault(str(place).casefold(), song)
        if other is not song:
            raise UnwritableAudio(
                f"{other} and {song} would both be written to {place.parent}/",
                "Rename one, or separate them in two runs.",
            )


def _separate_all(
    model: "Model", songs: list[Path], folder: Path, options: "SeparateOptions", *, quiet: bool, as_json: bool
) -> bool:
    """Separate one song after the other; gives whether all went well. A failed song does not end the batch."""
    from msdm_cli.pipelines.separate import separate_song

    rows, summary = [], []
    with ConsoleProgress(quiet=quiet) as progress:
        for song in songs:
            began = time.monotonic()
            try:
                done = separate_song(model, song, folder, options, progress)
            except MsdmError as error:
                show_error(error)
                rows.append((str(song), "failed", "", error.message))
                summary.append({"song": song, "error": error.message, "hint": error.hint})
                continue
            seconds = time.monotonic() - began
            if not quiet:
                tell_of_gain(str(song), done)
            speed = "was there" if done.skipped else f"{done.properties.seconds / seconds:.1f}x real time"
            rows.append((str(song), speed, str(done.seed), ", ".join(str(path) for path in done.files.values())))
            summary.append({"song": song, **dataclasses.asdict(done), "wall_seconds": round(seconds, 3)})
    if as_json:
        show_json(summary)
    elif not quiet:
        show_table(str(model.device), ("song", "speed", "seed", "written"), rows)
    return not any("error" in entry for entry in summary)
