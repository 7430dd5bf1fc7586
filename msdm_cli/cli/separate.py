"""``msdm separate``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.absent import AbsentOption, check_wanted, choose_absent
from msdm_cli.cli.batch import check_batch, estimate_batch, run_batch
from msdm_cli.cli.beside import Beside, PageOption, ProjectOption, TableOption
from msdm_cli.cli.cluster_options import ClusterOption, ResourcesOption, choose_row
from msdm_cli.cli.display import STOPPED, Display
from msdm_cli.cli.gains import MixOption, WithoutOption, parse_mixes
from msdm_cli.cli.model_options import (
    check_stems,
    choose_preset,
    find_anchor,
    find_spec,
    load_chosen,
)
from msdm_cli.cli.option_checks import (
    STANDARD,
    check_finite,
    choose_from,
    choose_output,
    complete,
    list_executors,
    split_names,
)
from msdm_cli.cli.options import (
    RESULTS,
    SAMPLING,
    AnchorOption,
    ChurnOption,
    DryRunOption,
    FormatOption,
    GammaOption,
    JsonOption,
    NameOption,
    OverwriteOption,
    Quality,
    QuietOption,
    RateOption,
    ResamplesOption,
    SeedOption,
    SeparationQualityOption,
    SeparationSamplerOption,
    SeparationStepsOption,
    SongDurationOption,
    StartOption,
    SubtypeOption,
)
from msdm_cli.cli.places import OutputOption
from msdm_cli.cli.runtime_options import (
    BackendOption,
    DeviceOption,
    ModelOption,
    PrecisionOption,
    ProviderOption,
    ThreadsOption,
    choose_runtime,
)
from msdm_cli.cli.shards import ShardOption
from msdm_cli.cli.to_stdout import separate_to_stdout
from msdm_cli.models.registry import EMBEDDED

if TYPE_CHECKING:
    from msdm_cli.cli.songs import Song


def separate(  # noqa: PLR0913  an option each
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SONG...",
            help="Files (wav, flac, ogg, mp3, m4a ...), folders, patterns, addresses (s3://...), "
            "lists (@list.txt), or - for the standard input.",
        ),
    ],
    folder: OutputOption = Path("stems"),
    *,
    stems: Annotated[
        list[str] | None,
        typer.Option(
            "--stems",
            metavar="STEM,...",
            callback=split_names,
            rich_help_panel=RESULTS,
            help="Write these stems only, such as drums,bass.",
        ),
    ] = None,
    without: WithoutOption = None,
    gains: MixOption = None,
    absent: AbsentOption = None,
    start: StartOption = 0.0,
    duration: SongDurationOption = None,
    quality: SeparationQualityOption = Quality.default,
    steps: SeparationStepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: SeparationSamplerOption = None,
    num_resamples: ResamplesOption = None,
    churn: ChurnOption = None,
    gamma: GammaOption = None,
    anchor: AnchorOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    provider: ProviderOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = 0,
    overlap: Annotated[
        float,
        typer.Option(
            "--overlap",
            min=0,
            max=0.5,
            metavar="SHARE",
            callback=check_finite,
            rich_help_panel=SAMPLING,
            help="Share of a chunk that overlaps the next chunk.",
        ),
    ] = 0.25,
    residual: Annotated[
        bool,
        typer.Option(
            "--residual",
            rich_help_panel=RESULTS,
            help="Write what the model cannot hear to a file of its own: for the embedded model "
            "what lies above 10.5 kHz. By default the stems share it.",
        ),
    ] = False,
    file_format: FormatOption = "wav",
    subtype: SubtypeOption = None,
    rate: RateOption = None,
    name: NameOption = "{track}/{stem}.{ext}",
    page: PageOption = True,
    project: ProjectOption = None,
    table: TableOption = None,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            min=1,
            metavar="N",
            help="Number of songs at once. More than 1 pays on a GPU.",
        ),
    ] = 1,
    executor: Annotated[
        str | None,
        typer.Option(
            "--executor",
            metavar="NAME",
            callback=choose_from(list_executors),
            autocompletion=complete(list_executors),
            help="What runs the songs: serial, threads, or ray. By --jobs and --cluster by "
            "default.",
        ),
    ] = None,
    cluster: ClusterOption = None,
    resources: ResourcesOption = None,
    shard: ShardOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Separate songs into stems that sum to them.

    The stems go to DIR/SONG/STEM.wav, with a description of how they were made, msdm.json. A song
    whose stems are there already, with the same settings, is skipped. One that was interrupted
    continues.

    The embedded model knows bass, drums, guitar and piano. It knows no vocals: they end up in the
    stem that they resemble most.

    \b
    Examples:
      msdm separate song.flac
      msdm separate album/ -o stems --quality fast
      msdm separate song.wav --start 1:00 --duration 20
      msdm separate song.wav --without drums
      msdm separate song.wav --absent piano
      cat song.wav | msdm separate - -o - --stems drums > drums.wav
    """  # noqa: D301  \b keeps the lines of the examples
    from msdm_cli.cli.songs import expand_songs, spool_pipes
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.tasks.separate import SONG, SeparateOptions

    spec = find_spec(model_name)
    wanted = check_stems(stems or (), spec, "--stems")
    mixes = parse_mixes(without, gains)
    check_stems([stem for mixed in mixes.values() for stem in mixed], spec, "--without, --mix")
    changes = {
        "num_resamples": num_resamples,
        "churn": churn,
        "mixture_scale": gamma,
        "anchor": find_anchor(anchor, spec),
    }
    preset = choose_preset(spec, "separate", sampler, quality, steps, changes)
    missing = choose_absent(absent, spec, preset)
    check_wanted(missing, wanted, mixes.values())
    songs = expand_songs(words, folder)
    to_stdout = str(folder) == STANDARD
    if to_stdout:
        _refuse(("--shard", shard, "share"), ("--csv", table, "table"))
        _refuse(("--project", project, "project"), ("--cluster", cluster, "cluster"))
    if to_stdout and (len(songs), len(wanted) + len(mixes), residual) != (1, 1, False):
        raise typer.BadParameter(
            "the standard output takes one song, and one file of it: name one song, and one stem "
            "with --stems drums, or --without drums",
            param_hint="-o",
        )
    request = JobRequest(
        task="separate",
        model=model_name,
        runtime=choose_runtime(device, backend, provider, precision, threads, preset),
        options=SeparateOptions(preset, seed, wanted, overlap, residual, mixes, missing),
        inputs={},
        folder=folder,
        output=choose_output(file_format, subtype, rate, name),
        overwrite=overwrite,
        start_seconds=start,
        duration_seconds=duration,
    )

    def ask(song: "Song") -> JobRequest:
        return replace(request, inputs={SONG: song.path}, track=song.track)

    check_batch({song.name: ask(song) for song in songs}, spec)
    display = Display(quiet=quiet, as_json=as_json, farewell="stopped" if to_stdout else STOPPED)
    if shard is not None:
        songs = [song for song in songs if shard.holds(song.name)]
        display.say(f"share {shard.number} of {shard.count}: {len(songs)} of the songs")
    row = choose_row(executor, jobs, cluster, resources)
    with spool_pipes(songs) as spooled:
        requests = {song.name: ask(song) for song in spooled}
        load = partial(load_chosen, model_name, request.runtime, display)
        if dry_run:
            estimate_batch(requests, load(), display)
        elif to_stdout:
            separate_to_stdout(spooled[0].name, requests[spooled[0].name], load(), display)
        else:
            beside = Beside(display, page, project, table=table)
            run_batch("song", requests, load, beside=beside, jobs=jobs, executor=row)


def _refuse(*options: tuple[str, object, str]) -> None:
    """Refuse options that do nothing for the standard output: their name, value and noun."""
    for name, value, noun in options:
        if value is not None:
            raise typer.BadParameter(
                f"the standard output takes a song, no {noun}", param_hint=name
            )
