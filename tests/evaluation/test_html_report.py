import math

from msdm_cli.evaluation.html_report import COLUMNS, render_report
from msdm_cli.evaluation.metrics.fad import FAD
from msdm_cli.evaluation.metrics.metric import Summary
from msdm_cli.evaluation.metrics.si_sdr import SiSdrRow


def make_row(method, song, value, active=True):
    return SiSdrRow(method, song, 0, "bass", active, value, -3.0)


def list_cells(text):
    lines = [line for line in text.splitlines() if line.startswith("<tr><td>")]
    return [
        line.removeprefix("<tr><td>").removesuffix("</td></tr>").split("</td><td>")
        for line in lines
    ]


def test_rows_are_those_of_stems_and_methods():
    rows = [make_row("one", "a", value) for value in (1.0, 2.0, 3.0, 6.0)]
    rows += [make_row("one", "b", 100.0, active=False), make_row("two", "b", 5.0)]
    text = render_report(rows, ("bass", "drums"), "<?xml?>\n<svg></svg>")
    assert list_cells(text) == [
        ["bass", "one", "4", "3.00", "2.50", "1.75", "3.75"],
        ["bass", "two", "1", "5.00", "5.00", "5.00", "5.00"],
        ["drums", "one", "0", "–", "–", "–", "–"],
        ["drums", "two", "0", "–", "–", "–", "–"],
    ]
    assert text.count("<th>") == len(COLUMNS)
    assert "<?xml" not in text
    assert "Windows of 2 songs" in text


def test_names_are_text():
    text = render_report([make_row("<b>&", "a", 1.0)], ("bass",), "<svg></svg>")
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;" in text


def test_other_metrics_have_a_table_each():
    figures = {"bass": 1.234, "drums": math.nan}
    summaries = [Summary("<mine>", 3, figures, {"mean": 1.234})]
    rows = [make_row("one", "a", 1.0)]
    text = render_report(rows, ("bass",), "<svg></svg>", [(FAD, summaries)])
    assert "<h2>FAD of each song in units of VGGish</h2>" in text
    assert "<th>bass</th><th>drums</th><th>mean</th>" in text
    assert list_cells(text)[1:] == [["&lt;mine&gt;", "3", "1.23", "–", "1.23"]]
    assert "<h2>" not in render_report(rows, ("bass",), "<svg></svg>")
