import io
import json
import sys
from pathlib import Path

import pytest

from msdm_cli.cli.console import (
    print_line,
    say,
    show_error,
    show_estimates,
    show_json,
    show_table,
)
from msdm_cli.cli.folding import list_files
from msdm_cli.errors import MsdmError, ResultsExist
from msdm_cli.jobs.estimate import Estimate


def test_markup_in_a_message_is_text(capsys):
    say("[bold]song[/bold] [1].wav \x1b[0m :bomb:")
    print_line("[red]a.wav :bomb:")
    captured = capsys.readouterr()
    assert captured.err == "[bold]song[/bold] [1].wav \\x1b[0m :bomb:\n"
    assert captured.out == "[red]a.wav :bomb:\n"


def test_an_error_is_two_lines(capsys):
    show_error(ResultsExist("a.wav: is there already", "Choose."), "Choose another one.")
    show_error(MsdmError("what", "Say --this."))
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


@pytest.mark.parametrize("columns", ["80", "10"])
def test_a_name_with_line_breaks_is_one_line_of_a_table(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    files = list_files([Path("out/bass.wav"), Path("out/drums.wav")])
    show_table("t", ("song", "written"), [("a\nerror:b", files)])
    printed = capsys.readouterr().out
    assert "a\\nerror:b" in printed
    assert [line for line in printed.splitlines() if " bass.wav," in line and "out" not in line]


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
    assert cells == ["song", "1 min 1 s", "12", "3.4 s", "?", "5 MB", "0 MB"]
    show_estimates({"song": estimate}, "cpu", as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["memory_bytes"] is None


LONG = "music/an artist/an album of several words/a song with a name that goes on and on.flac"


def test_no_name_in_a_table_is_broken(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    show_table("t", ("song", "written"), [("a.wav", f"stems/{LONG}"), ("b", "c")])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for piece in ("stems/", "an artist/", "a song with a name that goes on and on.flac"):
        assert piece in text or all(word in text for word in piece.split())
    assert "on.flac" in text
    assert "│" in text


def test_a_table_that_does_not_fit_is_a_list(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    name = "a_name_without_any_separator_at_all.flac"
    show_table("t", ("song", "speed", "written"), [(name, "1x", "x/y"), ("b", "2x", "z")])
    assert capsys.readouterr().out.splitlines() == [
        "t",
        name,
        "  speed: 1x",
        "  written: x/y",
        "b",
        "  speed: 2x",
        "  written: z",
    ]


def test_a_table_has_lines_that_the_encoding_has(monkeypatch):
    below = io.TextIOWrapper(io.BytesIO(), "cp1252", write_through=True)
    monkeypatch.setattr(sys, "stdout", below)
    show_table("t", ("a", "b"), [("1", "2")])
    assert b"|" in below.buffer.getvalue()
