"""A picture of SI-SDRi: a panel for each stem, a box for each method."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msdm_cli.errors import MissingPackage, UnwritableResults
from msdm_cli.evaluation.html_report import SUFFIX as REPORT
from msdm_cli.evaluation.html_report import Summaries, render_report
from msdm_cli.evaluation.metrics.si_sdr import SiSdrRow
from msdm_cli.temporary import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OTHER_NAME = "Choose another name for the plot."


def check_plot(path: Path) -> None:
    """Make sure that a picture can be drawn, before the scores are computed.

    Raises:
        MissingPackage: matplotlib is not installed.
        UnwritableResults: matplotlib writes no such format, or the folder cannot be made.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise MissingPackage("a plot needs matplotlib", "Run pip install matplotlib.") from error
    suffixes = [*FigureCanvasBase.get_supported_filetypes(), REPORT[1:]]
    if path.suffix[1:].lower() not in suffixes:
        raise UnwritableResults(
            f"{path}: is not the name of a picture (.{', .'.join(suffixes)})", OTHER_NAME
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableResults(
            f"{path}: cannot be written ({error.strerror})", OTHER_NAME
        ) from error


def plot_scores(
    rows: Sequence[SiSdrRow],
    names: Sequence[str],
    path: Path,
    others: Sequence[Summaries] = (),
) -> None:
    """Draw the distribution of SI-SDRi over the windows in which a stem sounds.

    A page has a table of the scores, too.

    Args:
        rows: Scores of any number of methods.
        names: Names of the stems.
        path: A picture that ``check_plot`` accepts.
        others: Other metrics with their figures, for a page.

    Raises:
        UnwritableResults: It cannot be written.
    """
    figure = _draw(rows, names)
    try:
        if path.suffix.lower() == REPORT:
            picture = io.StringIO()
            figure.savefig(picture, format="svg", metadata={"Date": None})
            text = render_report(rows, names, picture.getvalue(), others)
            write_whole(path, text.encode())
        else:
            figure.savefig(path)
    except OSError as error:
        raise UnwritableResults(
            f"{path}: cannot be written ({error.strerror})", OTHER_NAME
        ) from error


def _draw(rows: Sequence[SiSdrRow], names: Sequence[str]) -> "Figure":
    from matplotlib.figure import Figure

    methods = list(dict.fromkeys(row.method for row in rows))
    figure = Figure(figsize=(3 * len(names), 3.5), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for panel, stem in zip(panels, names, strict=True):
        sounding = [row for row in rows if row.stem == stem and row.active]
        values = [[row.si_sdri for row in sounding if row.method == method] for method in methods]
        panel.boxplot(values, showfliers=False)
        panel.set_xticks(range(1, len(methods) + 1), methods, rotation=30, ha="right")
        panel.set_title(stem)
        panel.axhline(0, color="grey", linewidth=0.5)
    panels[0].set_ylabel("SI-SDRi, dB")
    return figure
