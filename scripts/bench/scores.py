"""Tables of SI-SDRi, a row for each way to separate."""

from collections.abc import Sequence

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.metric import SeparatedSong, Summary
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR
from msdm_cli.models.spec import ModelSpec
from scripts.bench.report import Report
from scripts.bench.separation import Method

LEGEND = (
    "Calls are network calls for a chunk of 12 s. Windows of 4 s count in which two stems or more "
    'sound: the columns of stems and "active" count the stems that sound there, "official" counts '
    'all stems, as the paper does. "Leak" is the level of an estimate where its stem is silent, in '
    "dB relative to the mixture."
)


def list_columns(spec: ModelSpec) -> list[str]:
    """Heads of the columns of scores."""
    return [*spec.stems, *(column.heading for column in SI_SDR.columns.values())]


def score(method: Method, excerpts: Sequence[Samples], spec: ModelSpec) -> Summary:
    """Means over the windows of all excerpts ``[S, T]``."""
    rows = []
    for number, stems in enumerate(excerpts):
        estimate = method.separate(stems)
        song = SeparatedSong(
            method.name, str(number), spec.stems, estimate, stems, spec.sample_rate
        )
        rows += SI_SDR.score(song)
    return SI_SDR.summarise(rows, spec.stems)[0]


def list_cells(summary: Summary) -> list[str]:
    """Scores as text, in the order of ``list_columns``."""
    overall = [summary.overall[name] for name in SI_SDR.columns]
    return [f"{figure:.2f}" for figure in (*summary.stems.values(), *overall)]


def add_scores(
    report: Report,
    methods: Sequence[Method],
    excerpts: Sequence[Samples],
    spec: ModelSpec,
    first: str = "method",
) -> None:
    """Add a table with a row for each method; ``first`` heads the names."""
    report.begin_table(first, "calls", *list_columns(spec))
    for method in methods:
        summary = score(method, excerpts, spec)
        report.row(method.name, method.calls, *list_cells(summary))
