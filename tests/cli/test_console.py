import json

import pytest

from msdm_cli.cli.console import (
    escape,
    print_line,
    say,
    show_error,
    show_estimates,
    show_json,
    show_table,
)
from msdm_cli.errors import ResultsExist
from msdm_cli.jobs.estimate import Estimate


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain text, ü, 音", "plain text, ü, 音"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("\x9b2J", "\\x9b2J"),
        ("bad\udcff", "bad\\udcff"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
    ],
)
def test_text_cannot_control_the_terminal(text, safe):
    assert escape(text) == safe


def test_markup_in_a_message_is_text(capsys):
    say("[bold]song[/bold] [1].wav \x1b[0m")
    print_line("[red]a.wav")
    captured = capsys.readouterr()
    assert captured.err == "[bold]song[/bold] [1].wav \\x1b[0m\n"
    assert captured.out == "[red]a.wav\n"


def test_an_error_is_two_lines(capsys):
    show_error(ResultsExist("a.wav: is there already", "Choose."), "Choose another one.")
    show_error(ResultsExist("what", "Say --this."))
    assert capsys.readouterr().err.splitlines() == [
        "error: a.wav: is there already",
        "  Choose another one.",
        "error: what",
        "  Say --this.",
    ]


def test_markup_in_a_table_is_text(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    show_table("title", ("a", "b"), [("[red]x", "y\x07")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].rstrip() == "title"
    assert lines[-1].replace("│", " ").split() == ["[red]x", "y\\x07"]


def test_json_has_no_nan(capsys):
    show_json({"a": [float("nan"), 1.5], "b": (float("inf"), None), "c": "ü"})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "b": [None, None], "c": "ü"}


def test_an_estimate_has_units(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    estimate = Estimate(61.25, 12, 3.4, None, 5_400_000, 0)
    show_estimates({"song": estimate}, "cpu", as_json=False)
    title, *_, row = capsys.readouterr().out.splitlines()
    assert title.rstrip() == "cpu: a dry run, nothing was written"
    cells = [cell.strip() for cell in row.split("│")]
    assert cells == ["song", "61.2 s", "12", "3 s", "?", "5 MB", "0 MB"]
    show_estimates({"song": estimate}, "cpu", as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["memory_bytes"] is None
