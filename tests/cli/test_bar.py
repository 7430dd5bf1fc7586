import io

import pytest
from rich.console import Console

from msdm_cli.cli import bar
from msdm_cli.cli.bar import ProgressBar
from msdm_cli.cli.tally import Tally

LONG = "a rather long name of a song that does not fit.flac"


@pytest.fixture
def terminal(monkeypatch):
    shown = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(bar, "stderr", lambda: shown)
    return shown.file


def draw(tally, kind, label):
    """The lines that a bar draws, each at most as wide as the terminal."""
    shown = ProgressBar(disable=False)
    shown.start()
    shown.show(tally, kind, label, "calls")
    shown.stop()


def lines(terminal):
    plain = terminal.getvalue().replace("\x1b", "\n").splitlines()
    return [line for line in plain if "calls" in line]


def test_several_jobs_share_a_bar_of_one_line(terminal):
    tally = Tally({f"music/{name}{LONG}": 1.0 for name in "abc"})
    first, second, _ = (f"music/{name}{LONG}" for name in "abc")
    tally.end(first)
    tally.begin(second, 40, 0.0)
    tally.add(second, 10, skipped=False)
    draw(tally, "song", second)
    (line, *_) = lines(terminal)
    assert "song 2 of 3: ba rather" in line
    assert "10/40 calls" in line
    assert " left" in line
    assert "music" not in line
    assert max(map(len, lines(terminal))) <= 80


def test_jobs_at_once_are_named_together(terminal):
    tally = Tally({"a.wav": 1.0, "b.wav": 1.0, "c.wav": 1.0})
    for name in ("a.wav", "b.wav"):
        tally.begin(name, 4, 0.0)
    draw(tally, "song", "b.wav")
    assert "song 1 to 2 of 3: a.wav" in lines(terminal)[0]
    assert "0/8 calls" in lines(terminal)[0]


def test_one_job_is_called_by_its_label(terminal):
    tally = Tally({"": 1.0})
    tally.begin("", 4, 0.0)
    draw(tally, "", "song \x1b[31m")
    assert "song \\x1b[31m" in terminal.getvalue()
    assert " of " not in lines(terminal)[0]


def test_a_bar_goes_when_all_is_done(terminal):
    tally = Tally({"a": 1.0})
    tally.begin("a", 4, 0.0)
    tally.end("a")
    draw(tally, "", "a")
    assert lines(terminal) == []


def test_a_disabled_bar_shows_nothing(terminal):
    shown = ProgressBar(disable=True)
    shown.start()
    shown.show(Tally({"a": 1.0}), "", "a", "calls")
    shown.stop()
    assert terminal.getvalue() == ""


def test_jobs_elsewhere_have_a_note_in_the_place_of_units(terminal):
    tally = Tally({"a": 1.0, "b": 1.0, "c": 1.0})
    tally.end_elsewhere("a", 0.0, skipped=False)
    shown = ProgressBar(disable=False)
    shown.start()
    shown.show(tally, "song", "", "", "0.1 h of music, 8.0x, 2 workers")
    shown.stop()
    text = terminal.getvalue()
    assert "song 2 of 3" in text
    assert "0.1 h of music, 8.0x, 2 workers" in text
    assert " left" in text
