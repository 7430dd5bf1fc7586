"""Scores as a page: the picture, and a table of each stem and method."""

import html
import statistics
from collections.abc import Sequence

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
</table></div>
</body>
</html>
"""


def render_report(rows: Sequence[SiSdrRow], names: Sequence[str], picture: str) -> str:
    """The page.

    Args:
        rows: Scores of any number of methods.
        names: Names of the stems.
        picture: As SVG.
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
    )


def _summarise(values: Sequence[float]) -> list[str]:
    """Mean, median and quarters; a dash where there are too few values."""
    if not values:
        return ["–"] * 4
    # One value alone has no quarters; twice, it is all of them.
    quarters = statistics.quantiles(
        [*values, *values[:1]] if len(values) == 1 else values, n=4, method="inclusive"
    )
    found = (statistics.fmean(values), quarters[1], quarters[0], quarters[2])
    return [f"{value:.2f}" for value in found]


def _fill_row(cells: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
