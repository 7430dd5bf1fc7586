"""Scores as a page: the picture, a table of each stem and method, and other metrics below."""

import html
import math
import statistics
from collections.abc import Sequence
from typing import Any

from msdm_cli.evaluation.metrics.metric import Metric, Summary
from msdm_cli.evaluation.metrics.si_sdr import SiSdrRow

SUFFIX = ".html"
COLUMNS = ("stem", "method", "windows", "mean", "median", "lower quarter", "upper quarter")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SI-SDRi</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; padding: 1.5rem; max-width: 75rem; font: 1rem/1.5 system-ui, sans-serif; }}
svg {{ width: 100%; height: auto; background: #fff; border-radius: .4rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .75rem; border-bottom: 1px solid #8886; text-align: right; }}
th:nth-child(-n+2), td:nth-child(-n+2) {{ text-align: left; }}
</style>
</head>
<body>
<h1>SI-SDRi in dB</h1>
<p>Windows of {songs} songs in which the stem sounds. Boxes reach from quarter to quarter.</p>
{picture}
<div class="wide"><table>
<tr>{heads}</tr>
{rows}
</table></div>{others}
</body>
</html>
"""


OTHER = """
<h2>{title} in {unit}</h2>
<div class="wide"><table>
{lines}
</table></div>"""

NOTHING = "–"

Summaries = tuple[Metric[Any], Sequence[Summary]]
"""A metric, and the figures of each method."""


def render_report(
    rows: Sequence[SiSdrRow],
    names: Sequence[str],
    picture: str,
    others: Sequence[Summaries] = (),
) -> str:
    """The page.

    Args:
        rows: Scores of any number of methods.
        names: Names of the stems.
        picture: As SVG.
        others: Other metrics with their figures.
    """
    lines = []
    for stem in names:
        for method in dict.fromkeys(row.method for row in rows):
            values = [
                row.si_sdri
                for row in rows
                if (row.stem, row.method, row.active) == (stem, method, True)
            ]
            lines.append(_fill_row([stem, method, str(len(values)), *_summarise(values)], "td"))
    return PAGE.format(
        songs=len({row.song for row in rows}),
        picture=picture[picture.find("<svg") :],
        heads=_fill_row(COLUMNS, "th"),
        rows="\n".join(f"<tr>{line}</tr>" for line in lines),
        others="".join(_render_other(*other) for other in others),
    )


def _render_other(metric: Metric[Any], summaries: Sequence[Summary]) -> str:
    """The table of a metric: a line for each method."""
    columns = metric.columns.values()
    stems = list(summaries[0].stems) if summaries else []
    lines = [_fill_row(["method", "songs", *stems, *(one.heading for one in columns)], "th")]
    for summary in summaries:
        figures = [_format(figure, 2) for figure in summary.stems.values()]
        figures += [
            _format(summary.overall[name], column.decimals)
            for name, column in metric.columns.items()
        ]
        lines.append(_fill_row([summary.method, str(summary.songs), *figures], "td"))
    return OTHER.format(
        title=html.escape(metric.title),
        unit=html.escape(metric.unit),
        lines="\n".join(f"<tr>{line}</tr>" for line in lines),
    )


def _format(figure: float, decimals: int) -> str:
    return NOTHING if math.isnan(figure) else f"{figure:.{decimals}f}"


def _summarise(values: Sequence[float]) -> list[str]:
    """Mean, median and quarters; a dash where there are too few values."""
    if not values:
        return [NOTHING] * 4
    # One value alone has no quarters; twice, it is all of them.
    quarters = statistics.quantiles(
        [*values, *values[:1]] if len(values) == 1 else values, n=4, method="inclusive"
    )
    found = (statistics.fmean(values), quarters[1], quarters[0], quarters[2])
    return [f"{value:.2f}" for value in found]


def _fill_row(cells: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
