"""``msdm evaluate``."""

import math
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from msdm_cli.backends.runtime import AUTO
from msdm_cli.cli.cluster_options import ClusterOption, ResourcesOption, choose_row
from msdm_cli.cli.console import show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.evaluate_songs import score_songs
from msdm_cli.cli.hints import Hint, hinted
from msdm_cli.cli.model_options import check_stems, choose_preset, find_spec, load_chosen
from msdm_cli.cli.option_checks import check_here, choose_several, list_metrics, split_names
from msdm_cli.cli.options import (
    JsonOption,
    Quality,
    QuietOption,
    SeparationQualityOption,
    SeparationSamplerOption,
    SeparationSeedOption,
    SeparationStepsOption,
)
from msdm_cli.cli.runtime_options import (
    BackendOption,
    DeviceOption,
    PrecisionOption,
    ProviderOption,
    ThreadsOption,
    choose_runtime,
)
from msdm_cli.errors import MsdmError, UnwritableResults

if TYPE_CHECKING:
    from msdm_cli.evaluation.layout import Layout
    from msdm_cli.evaluation.metrics.metric import Summary
    from msdm_cli.evaluation.tables import ScoreTable
    from msdm_cli.jobs.evaluate import Evaluation
    from msdm_cli.models.spec import ModelSpec

PLOT_HINTS: dict[type[MsdmError], Hint] = {UnwritableResults: "Choose another name with --plot."}

NOTHING = "-"
"""Stands in a table for a figure that no score belongs to."""


def evaluate(  # noqa: PLR0913
    references: Annotated[
        Path,
        typer.Argument(
            metavar="REFERENCES",
            callback=check_here,
            help="A folder for each song, with a flac or wav file for each stem.",
        ),
    ],
    estimates: Annotated[
        Path,
        typer.Argument(
            metavar="ESTIMATES",
            callback=check_here,
            help="Separated songs, in the same layout.",
        ),
    ],
    *,
    metrics: Annotated[
        list[str],
        typer.Option(
            "--metric",
            metavar="NAME,...",
            callback=choose_several(list_metrics),
            help="What to measure. An unknown name lists them all.",
        ),
    ] = ["si-sdr"],  # noqa: B006  typer copies it
    separate: Annotated[
        str | None,
        typer.Option(
            "--separate", metavar="MODEL", help="Separate the songs that have no estimates."
        ),
    ] = None,
    quality: SeparationQualityOption = Quality.default,
    sampler: SeparationSamplerOption = None,
    steps: SeparationStepsOption = None,
    seed: SeparationSeedOption = 0,
    stems: Annotated[
        list[str] | None,
        typer.Option(
            "--stems",
            metavar="STEM,...",
            callback=split_names,
            help="Stems to score; by default those of MODEL, or the paper's bass, drums, guitar "
            "and piano.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Number of songs to score, from the first on."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="What the estimates are called in the tables.")
    ] = "estimates",
    tables: Annotated[
        Path | None,
        typer.Option(
            "--tables",
            metavar="DIR",
            callback=check_here,
            help="Folder of the tables of scores.  [default: ESTIMATES]",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            callback=check_here,
            help="Draw SI-SDRi for each stem (needs matplotlib). A name that ends in .html gives a "
            "page with tables of all metrics.",
        ),
    ] = None,
    device: DeviceOption = AUTO,
    backend: BackendOption = AUTO,
    provider: ProviderOption = None,
    precision: PrecisionOption = AUTO,
    threads: ThreadsOption = 0,
    cluster: ClusterOption = None,
    resources: ResourcesOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score separated songs by their true stems, beside ideal masks.

    si-sdr is SI-SDRi by the paper's protocol. The columns of stems, and their mean "active", count
    the windows of 4 s in which a stem sounds. "official" counts silent stems too, as the paper
    does. "leak" is how loud the estimates of silent stems are, relative to the mixture.

    sdr is SDR by BSSEval v4, the median over songs (needs museval).

    fad is the Frechet distance of a stem's VGGish embeddings from the true ones, the mean over
    songs (needs fadtk). mapss is perceptual separation and match, from 0 to 1 (needs mapss). Both
    packages fetch their networks when they are first used.

    Songs that have scores in the tables are not scored again. A stopped evaluation resumes.
    """
    from msdm_cli.evaluation.metrics import METRICS
    from msdm_cli.jobs.evaluate import Evaluation, Separator
    from msdm_cli.models.description import describe_model

    if plot:
        _check_plot(plot, metrics)
    for name in metrics:
        METRICS[name].check()
    spec = find_spec(separate) if separate else None
    if stems and spec:
        check_stems(stems, spec, "--stems")
    layout = _choose_layout(stems, spec)
    songs = layout.find_songs(references)[:limit]
    display = Display(quiet=quiet, as_json=as_json)
    separator = None
    row = choose_row(None, 1, cluster, resources)
    if spec is None and cluster is not None:
        raise typer.BadParameter("needs --separate", param_hint="--cluster")
    if spec is not None:
        preset = choose_preset(spec, "separate", sampler, quality, steps)
        runtime = choose_runtime(device, backend, provider, precision, threads, preset)
        load = describe_model if cluster else partial(load_chosen, display=display)
        separator = Separator(load(spec.name, runtime), preset, seed)
    metrics = list(dict.fromkeys(metrics))
    evaluation = Evaluation(estimates, tables or estimates, metrics, layout, method, separator)
    scored = score_songs(evaluation, songs, display, row)
    names = {song.name for song in songs}
    _show(evaluation, names, quiet=quiet, as_json=as_json)
    if plot:
        _plot(evaluation, names, plot)
    if not scored:
        raise typer.Exit(1)


def _check_plot(plot: Path, metrics: list[str]) -> None:
    from msdm_cli.evaluation.metrics.si_sdr import SI_SDR
    from msdm_cli.evaluation.plot import check_plot

    if SI_SDR.name not in metrics:
        raise typer.BadParameter(
            f"draws {SI_SDR.title}: add --metric {SI_SDR.name}", param_hint="--plot"
        )
    with hinted(PLOT_HINTS):
        check_plot(plot)


def _plot(evaluation: "Evaluation", songs: Collection[str], plot: Path) -> None:
    from msdm_cli.evaluation.metrics.si_sdr import SI_SDR
    from msdm_cli.evaluation.plot import plot_scores

    (table,) = (table for table in evaluation.tables if table.metric is SI_SDR)
    summaries = evaluation.summarise(songs)
    others = [
        (other.metric, summaries[other.metric.name])
        for other in evaluation.tables
        if other is not table
    ]
    if rows := table.list_rows(songs):
        with hinted(PLOT_HINTS):
            plot_scores(rows, evaluation.layout.stems, plot, others)


def _choose_layout(stems: list[str] | None, spec: "ModelSpec | None") -> "Layout":
    from msdm_cli.evaluation.layout import Layout
    from msdm_cli.jobs.evaluate import PAPER_LAYOUT

    usual = PAPER_LAYOUT if spec is None else Layout(spec.stems, spec.sample_rate)
    return replace(usual, stems=tuple(stems)) if stems else usual


def _show(evaluation: "Evaluation", songs: Collection[str], *, quiet: bool, as_json: bool) -> None:
    """The figures of each metric and method, on stdout."""
    summaries = evaluation.summarise(songs)
    if as_json:
        show_json([_entry(name, summary) for name, found in summaries.items() for summary in found])
    elif not quiet:
        for table in evaluation.tables:
            if summaries[table.metric.name]:
                _show_summaries(table, summaries[table.metric.name])


def _entry(metric: str, summary: "Summary") -> dict[str, Any]:
    """A summary for programs."""
    return {
        "metric": metric,
        "method": summary.method,
        "songs": summary.songs,
        "stems": dict(summary.stems),
        **summary.overall,
    }


def _show_summaries(table: "ScoreTable[Any]", summaries: "list[Summary]") -> None:
    """A summary for people: a line for each method."""
    metric = table.metric
    rows = []
    for summary in summaries:
        figures = [_format(figure, 2) for figure in summary.stems.values()]
        for name, column in metric.columns.items():
            figures.append(_format(summary.overall[name], column.decimals))
        rows.append((summary.method, str(summary.songs), *figures))
    headings = [column.heading for column in metric.columns.values()]
    columns = ("method", "songs", *summaries[0].stems, *headings)
    show_table(f"{metric.title} in {metric.unit}; all scores in {table.path}", columns, rows)


def _format(figure: float, decimals: int) -> str:
    return NOTHING if math.isnan(figure) else f"{figure:.{decimals}f}"
