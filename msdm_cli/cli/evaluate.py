"""``msdm evaluate``."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.console import show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.options import (
    Backend,
    BackendOption,
    DeviceOption,
    JsonOption,
    Precision,
    PrecisionOption,
    ProviderOption,
    Quality,
    QualityOption,
    QuietOption,
    SeparationSampler,
    SeparationSamplerOption,
    StepsOption,
    choose_runtime,
    name_preset,
)
from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.backends.runtime import Runtime
    from msdm_cli.evaluation.scores import Summary
    from msdm_cli.jobs.evaluate import Separator, Tables


def evaluate(
    references: Annotated[
        Path,
        typer.Argument(
            metavar="REFERENCES",
            help="A folder per song, with bass, drums, guitar and piano as flac or wav.",
        ),
    ],
    estimates: Annotated[
        Path, typer.Argument(metavar="ESTIMATES", help="Separated songs, in the same layout.")
    ],
    *,
    separate: Annotated[
        str | None,
        typer.Option("--separate", metavar="MODEL", help="Separate what has no estimates yet."),
    ] = None,
    quality: QualityOption = Quality.default,
    sampler: SeparationSamplerOption = SeparationSampler.consistent,
    steps: StepsOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the separation.")] = 0,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only the first so many songs.")
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="Name of the method in the table.")
    ] = "estimates",
    scores: Annotated[
        Path | None,
        typer.Option("--scores", help="Table of all scores; ESTIMATES/scores.csv by default."),
    ] = None,
    with_sdr: Annotated[
        bool,
        typer.Option(
            "--sdr", help="Also SDR by BSSEval v4, to sdr.csv beside the scores (needs museval)."
        ),
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the scores per stem (needs matplotlib).")
    ] = None,
    device: DeviceOption = "auto",
    backend: BackendOption = Backend.auto,
    provider: ProviderOption = None,
    precision: PrecisionOption = Precision.auto,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score separated songs by the paper's protocol: SI-SDRi.

    "active" is the mean of stems where they sound, "official" of all of them, as in the paper; "leak" is how loud a
    stem is where it is silent in truth, relative to the mixture.

    Beside the estimates stand the ideal masks. What is in the table already is not scored again, so that an evaluation
    that was stopped goes on where it was.
    """
    from msdm_cli.evaluation.scores import Score, summarise
    from msdm_cli.evaluation.sdr import SongSdr, summarise_sdr
    from msdm_cli.evaluation.tables import load_table
    from msdm_cli.jobs.evaluate import STEMS, Tables, find_songs

    if plot:
        from msdm_cli.evaluation.plot import check_plot, plot_scores

        check_plot(plot)
    songs = find_songs(references)[:limit]
    runtime = choose_runtime(device, backend, provider, precision)
    separator = (
        _load_separator(separate, runtime, name_preset(sampler, quality), steps, seed)
        if separate
        else None
    )
    table = scores or estimates / "scores.csv"
    tables = Tables(table, table.with_name("sdr.csv") if with_sdr else None)
    with Display(quiet=quiet, as_json=as_json) as display:
        scored = [
            _evaluate_one(song, estimates, tables, method, separator, display) for song in songs
        ]
    found = load_table(table, Score)
    summaries = summarise(found, STEMS)
    medians = summarise_sdr(load_table(tables.sdr, SongSdr), STEMS) if tables.sdr else {}
    if plot and found:
        plot_scores(found, STEMS, plot)
    if as_json:
        show_json(
            [
                dataclasses.asdict(summary) | _sdr_entry(medians, summary.method)
                for summary in summaries
            ]
        )
    elif summaries and not quiet:
        _show(summaries, table)
        _show_sdr(medians)
    if not all(scored):
        raise typer.Exit(1)


def _evaluate_one(
    song: Path,
    estimates: Path,
    tables: "Tables",
    method: str,
    separator: "Separator | None",
    display: Display,
) -> bool:
    """Score a song; one that fails does not end the rest."""
    from msdm_cli.jobs.evaluate import evaluate_song

    try:
        evaluate_song(song, estimates, tables, method, separator, display.piece())
    except MsdmError as error:
        display.fail(song.name, error)
        return False
    return True


def _load_separator(
    name: str, runtime: "Runtime", preset: str, steps: int | None, seed: int
) -> "Separator":
    from msdm_cli.jobs.evaluate import Separator
    from msdm_cli.models.load import load_model

    model = load_model(name, runtime)
    return Separator(model, model.spec.preset("separate", preset).with_steps(steps), seed)


def _show(summaries: "list[Summary]", table: Path) -> None:
    rows = []
    for summary in summaries:
        leak = "" if summary.leak_db is None else f"{summary.leak_db:.1f}"
        figures = [
            f"{value:.2f}" for value in (*summary.stems.values(), summary.active, summary.official)
        ]
        rows.append((summary.method, str(summary.songs), *figures, leak))
    columns = ("method", "songs", *summaries[0].stems, "mean, active", "mean, official", "leak")
    show_table(f"SI-SDRi in dB; all scores in {table}", columns, rows)


def _sdr_entry(medians: dict[str, dict[str, float]], method: str) -> dict[str, dict[str, float]]:
    return {"sdr": medians[method]} if method in medians else {}


def _show_sdr(medians: dict[str, dict[str, float]]) -> None:
    if medians:
        stems = list(next(iter(medians.values())))
        rows = [
            (method, *(f"{value:.2f}" for value in figures.values()))
            for method, figures in medians.items()
        ]
        show_table(
            "SDR in dB by BSSEval v4, medians over frames of 1 s, then over songs",
            ("method", *stems),
            rows,
        )
