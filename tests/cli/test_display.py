import io
import json
import logging

import pytest
from rich.console import Console

from msdm_cli.cli import bar, console, display, signals
from msdm_cli.cli.display import STOPPED, STOPPING, Display
from msdm_cli.errors import ResultsExist, UnreadableAudio


@pytest.fixture
def stderr(monkeypatch):
    shown = Console(file=io.StringIO(), width=200)
    monkeypatch.setattr(console, "stderr", lambda: shown)
    monkeypatch.setattr(display, "stderr", lambda: shown)
    return shown.file


@pytest.fixture
def terminal(monkeypatch):
    shown = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(console, "stderr", lambda: shown)
    monkeypatch.setattr(display, "stderr", lambda: shown)
    monkeypatch.setattr(bar, "stderr", lambda: shown)
    return shown.file


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""

    class Clock:
        seconds = 0.0

        def monotonic(self):
            return self.seconds

    clock = Clock()
    monkeypatch.setattr(display, "time", clock)
    return clock


def events(stderr):
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_a_program_sees_events(stderr, clock):
    with Display(quiet=False, as_json=True) as shown:
        piece = shown.piece()
        piece.start("song", 3)
        piece.advance()
        clock.seconds = display.EVENT_SECONDS + 0.1
        piece.advance()
        piece.advance()
        logging.getLogger("msdm_cli.jobs").info("continues; chunks that are done: %d", 2)
        shown.fail("bad", UnreadableAudio("what", "do"))
    progress = {"event": "progress", "name": "song", "total": 3, "unit": "calls"}
    assert events(stderr) == [
        {"event": "start", "name": "song", "total": 3, "unit": "calls"},
        {**progress, "done": 2},
        {**progress, "done": 3},
        {"event": "message", "text": "continues; chunks that are done: 2"},
        {"event": "error", "name": "bad", "message": "what", "hint": "do"},
    ]


def test_an_error_has_the_hint_of_its_class_or_its_own(stderr):
    with Display(quiet=False, as_json=True) as shown:
        shown.fail("bad", ResultsExist("what", "remedy"))
        shown.fail("bad", ResultsExist("what", "remedy"), "hint")
    assert "--overwrite" in events(stderr)[0]["hint"]
    assert events(stderr)[1]["hint"] == "hint"


def test_a_log_gets_a_line_every_ten_seconds(stderr, clock):
    with Display(quiet=False) as shown:
        piece = shown.piece()
        piece.start("song", 3)
        piece.advance()
        clock.seconds = 10.1
        piece.advance()
        piece.advance()
    assert stderr.getvalue() == "song: 2 of 3 calls\n"


def test_a_terminal_gets_a_bar(terminal):
    with Display(quiet=False) as shown:
        piece = shown.piece()
        piece.start("song \x1b[31m", 4)
        piece.advance(3)
    assert "song \\x1b[31m" in terminal.getvalue()
    assert "3/4 calls" in terminal.getvalue()


@pytest.mark.parametrize("as_json", [False, True])
def test_quiet_shows_errors_alone(stderr, clock, as_json):
    with Display(quiet=True, as_json=as_json) as shown:
        piece = shown.piece()
        piece.start("song", 2)
        clock.seconds = 60
        piece.advance(2)
        shown.say("hello")
        assert stderr.getvalue() == ""
        shown.fail("bad", UnreadableAudio("what", "do"))
    assert "what" in stderr.getvalue()


def test_what_was_stopped_says_how_to_continue(stderr):
    with pytest.raises(KeyboardInterrupt), Display(quiet=False):
        raise KeyboardInterrupt
    assert stderr.getvalue() == f"{STOPPED}\n"


def test_a_thread_stops_at_its_next_call(stderr):
    with Display(quiet=False) as shown:
        piece = shown.piece()
        piece.advance()
        shown.stop()
        with pytest.raises(KeyboardInterrupt):
            piece.advance()


def test_several_jobs_share_one_bar(terminal):
    with Display(quiet=False) as shown:
        shown.expect("song", {"x/a.wav": 1.0, "x/b.wav": 1.0})
        for name in ("x/a.wav", "x/b.wav"):
            piece = shown.piece(name)
            piece.start(name, 4)
            piece.skip(2)
            piece.advance(1)
            shown.bar._bars.refresh()
            piece.end()
    assert "song 1 of 2: a.wav" in terminal.getvalue()
    assert "song 2 of 2: b.wav" in terminal.getvalue()


def test_a_thread_that_was_stopped_skips_nothing(stderr):
    with Display(quiet=False) as shown:
        piece = shown.piece()
        shown.stop()
        with pytest.raises(KeyboardInterrupt):
            piece.skip()


def test_the_first_signal_is_said(stderr):
    with Display(quiet=False):
        (listener,) = signals._listeners
        listener()
    assert signals._listeners == []
    assert stderr.getvalue() == f"{STOPPING}\n"


def test_warnings_of_the_library_are_shown(stderr):
    with Display(quiet=False, as_json=True):
        logging.getLogger("msdm_cli.jobs.run").warning("%s", "a.wav: the rest is missing")
    assert events(stderr) == [{"event": "message", "text": "a.wav: the rest is missing"}]


@pytest.mark.parametrize("as_json", [False, True])
def test_loading_is_shown_to_programs_but_not_in_a_log(stderr, as_json):
    with Display(quiet=False, as_json=as_json).loading("tiny"):
        pass
    expected = [{"event": "message", "text": "loading the model tiny ..."}] if as_json else []
    assert events(stderr) == expected


def test_loading_is_shown_on_a_terminal(terminal):
    with Display(quiet=False).loading("[/b]tiny"):
        pass
    assert "loading the model [/b]tiny ..." in terminal.getvalue()
    before = terminal.getvalue()
    with Display(quiet=True).loading("tiny"):
        pass
    assert terminal.getvalue() == before
