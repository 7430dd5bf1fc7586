"""``msdm separate``."""

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.batch import run_batch, tell_of_gain
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
    NameOption,
    OverwriteOption,
    Precision,
    PrecisionOption,
    ProviderOption,
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
    choose_runtime,
    name_preset,
)
from msdm_cli.errors import MsdmError, UnwritableAudio
from msdm_cli.models.registry import EMBEDDED

if TYPE_CHECKING:
    from msdm_cli.jobs.outputs import OutputOptions
    from msdm_cli.models.load import Model
    from msdm_cli.tasks.separate import SeparateOptions


def separate(
    songs: Annotated[
        list[str],
        typer.Argument(
            metavar="SONG...",
            help="wav, flac, ogg or mp3 files, folders, patterns, @list.txt, or - for the standard input.",
        ),
    ],
    folder: FolderOption = Path("stems"),
    *,
    stems: Annotated[
        list[Stem] | None, typer.Option("--stems", help="Write only this stem; repeatable.")
    ] = None,
    start: Annotated[
        float, typer.Option("--start", min=0, callback=check_finite, help="Begin here, in seconds.")
    ] = 0.0,
    duration: Annotated[
        float | None,
        typer.Option("--duration", min=0, callback=check_finite, help="Only so many seconds."),
    ] = None,
    quality: QualityOption = Quality.default,
    steps: StepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: SeparationSamplerOption = SeparationSampler.consistent,
    device: DeviceOption = "auto",
    backend: BackendOption = Backend.auto,
    provider: ProviderOption = None,
    precision: PrecisionOption = Precision.auto,
    overlap: Annotated[
        float,
        typer.Option(
            "--overlap",
            min=0,
            max=0.5,
            callback=check_finite,
            help="Part of a chunk shared with the next.",
        ),
    ] = 0.25,
    residual: Annotated[
        bool,
        typer.Option(
            "--residual", help="Write what lies above the model's band to a file of its own."
        ),
    ] = False,
    file_format: FormatOption = FileFormat.wav,
    subtype: SubtypeOption = None,
    name: NameOption = "{track}/{stem}.{ext}",
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Songs at once; pays on a GPU.")] = 1,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Separate songs into stems that sum to them.

    Written to DIR/SONG/{bass,drums,guitar,piano}.wav, with a description, msdm.json. What is there already, made by the
    same command, is not done again; what was stopped goes on. -o - writes one stem to the standard output.
    """
    from msdm_cli.cli.songs import STANDARD, expand_songs, spool_streams
    from msdm_cli.jobs.outputs import OutputOptions
    from msdm_cli.models.load import load_model
    from msdm_cli.tasks.separate import RESIDUAL, SeparateOptions, separate_song

    output = OutputOptions(file_format.value, subtype.value if subtype else None, overwrite, name)
    found, to_stdout = expand_songs(songs, folder), str(folder) == STANDARD
    if to_stdout and (len(found), len(stems or ()), residual) != (1, 1, False):
        raise typer.BadParameter(
            "standard output takes one stem of one song: say --stems drums", param_hint="-o"
        )
    _check_distinct(
        found, folder, output, [*(stem.value for stem in stems or Stem), *[RESIDUAL] * residual]
    )
    model = load_model(model_name, choose_runtime(device, backend, provider, precision))
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
    with spool_streams(found) as spooled:
        kept = dict(zip(map(str, found), spooled, strict=True))
        if dry_run:
            _estimate(model, kept, options, Display(quiet=quiet, as_json=as_json))
        elif to_stdout:
            _separate_to_stdout(
                model,
                spooled[0],
                options,
                Display(quiet=quiet, as_json=as_json, farewell="stopped"),
            )
        else:
            pieces = {
                name: partial(separate_song, model, song, folder, options)
                for name, song in kept.items()
            }
            run_batch(
                "song",
                str(model.runtime),
                pieces,
                display=Display(quiet=quiet, as_json=as_json),
                jobs=jobs,
            )


def _estimate(
    model: "Model", songs: dict[str, Path], options: "SeparateOptions", display: Display
) -> None:
    """Show what songs would cost; one that fails does not end the rest, and does not exit 0."""
    from msdm_cli.jobs.estimate import estimate_separation

    estimates = {}
    for name, song in songs.items():
        try:
            estimates[name] = estimate_separation(model, song, options)
        except MsdmError as error:  # noqa: PERF203  a network call is slower
            display.fail(name, error)
    show_estimates(estimates, str(model.runtime), as_json=display.as_json)
    if len(estimates) < len(songs):
        raise typer.Exit(1)


def _separate_to_stdout(
    model: "Model", song: Path, options: "SeparateOptions", display: Display
) -> None:
    from msdm_cli.tasks.separate import separate_song

    with tempfile.TemporaryDirectory() as folder, display:
        done = separate_song(model, song, Path(folder), options, display.piece())
        display.say(f"seed {done.seed}")
        tell_of_gain(song.name, done, display)
        (written,) = done.files.values()
        with written.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


def _check_distinct(
    songs: list[Path], folder: Path, output: "OutputOptions", stems: list[str]
) -> None:
    """Refuse songs whose stems would land on each other or on a song, before anything runs."""
    seen: dict[str, Path] = {}
    read = {os.path.realpath(song) for song in songs}
    for song in songs:
        place = output.place_manifest(folder, song.stem)
        other = seen.setdefault(str(place).casefold(), song)
        if other is not song:
            raise UnwritableAudio(
                f"{other} and {song} would both be written to {place.parent}/",
                "Rename one, or separate them in two runs, each with an -o of its own.",
            )
        for stem in stems:
            if os.path.realpath(replaced := output.place(folder, song.stem, stem)) in read:
                raise UnwritableAudio(
                    f"{replaced}: is an input, and would be replaced", "Choose another -o."
                )
