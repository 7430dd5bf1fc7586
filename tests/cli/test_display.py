import io
import json
import logging

import pytest
from rich.console import Console

from msdm_cli.cli import console, display
from msdm_cli.cli.display import STOPPED, Display
from msdm_cli.errors import UnreadableAudio


@pytest.fixture
def stderr(monkeypatch):
    shown = Console(file=io.StringIO(), width=200)
    monkeypatch.setattr(console, "stderr", shown)
    monkeypatch.setattr(display, "stderr", shown)
    return shown.file


def events(stderr):
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_a_program_sees_events(stderr, monkeypatch):
    monkeypatch.setattr(display, "EVENT_SECONDS", 1e9)
    with Display(quiet=False, as_json=True) as shown:
        piece = shown.piece()
        piece.start("song", 3)
        for _ in range(3):
            piece.advance()
        logging.getLogger("msdm_cli.pipelines").info("goes on, %d chunks", 2)
        shown.fail("bad", UnreadableAudio("what", "do"))
    assert events(stderr) == [
        {"event": "start", "name": "song", "total": 3, "unit": "calls"},
        {"event": "progress", "name": "song", "done": 3, "total": 3, "unit": "calls"},
        {"event": "message", "text": "goes on, 2 chunks"},
        {"event": "error", "name": "bad", "message": "what", "hint": "do"},
    ]


def test_a_log_gets_a_line_now_and_then(stderr, monkeypatch):
    monkeypatch.setattr(display, "PLAIN_SECONDS", 0)
    with Display(quiet=False) as shown:
        piece = shown.piece()
        piece.start("song", 2)
        piece.advance()
    assert "song: 1 of 2 calls" in stderr.getvalue()


@pytest.mark.parametrize("as_json", [False, True])
def test_quiet_shows_errors_alone(stderr, monkeypatch, as_json):
    monkeypatch.setattr(display, "PLAIN_SECONDS", 0)
    with Display(quiet=True, as_json=as_json) as shown:
        piece = shown.piece()
        piece.start("song", 2)
        piece.advance(2)
        shown.say("hello")
        assert stderr.getvalue() == ""
        shown.fail("bad", UnreadableAudio("what", "do"))
    assert "what" in stderr.getvalue()


def test_what_was_stopped_says_how_to_go_on(stderr):
    with pytest.raises(KeyboardInterrupt), Display(quiet=False):
        raise KeyboardInterrupt
    assert STOPPED in stderr.getvalue()


def test_a_thread_stops_at_its_next_call(stderr):
    with Display(quiet=False) as shown:
        piece = shown.piece()
        shown.stopped = True
        with pytest.raises(KeyboardInterrupt):
            piece.advance()
