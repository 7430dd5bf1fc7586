"""What is shown while work goes on, on stderr: bars for a person, lines for a log, events for a program."""

import json
import logging
import threading
import time
from types import TracebackType
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from msdm_cli.cli.console import say, show_error, stderr
from msdm_cli.errors import MsdmError

PLAIN_SECONDS = 10.0
EVENT_SECONDS = 0.5
STOPPED = "stopped; the same command, with the same seed or none, goes on from here"

LOG = logging.getLogger("msdm_cli")


class Display(logging.Handler):
    """Shows how far work is, and what happens on the way.

    On a terminal, a bar for each piece of work; elsewhere a plain line now and then; with ``as_json``, a JSON object
    per line: ``start``, ``progress``, ``message`` and ``error`` events.

    Args:
        quiet: Show errors only.
        as_json: Show events.
        farewell: Shown when it is stopped.
    """

    def __init__(self, *, quiet: bool, as_json: bool = False, farewell: str = STOPPED) -> None:
        super().__init__(logging.INFO)
        self.quiet, self.as_json, self.farewell = quiet, as_json, farewell
        self.stopped = False
        self.bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr,
            disable=quiet or as_json or not stderr.is_terminal,
        )
        self._writing = threading.Lock()

    def __enter__(self) -> "Display":
        self.bars.start()
        LOG.addHandler(self)
        LOG.setLevel(logging.INFO)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()
        LOG.removeHandler(self)
        if kind is KeyboardInterrupt:
            self.say(self.farewell)

    def emit(self, record: logging.LogRecord) -> None:
        """Show what the library logs."""
        self.say(record.getMessage())

    def say(self, message: str) -> None:
        """Show a line."""
        if self.as_json:
            self.tell("message", text=message)
        elif not self.quiet:
            say(message)

    def fail(self, name: str, error: MsdmError) -> None:
        """Show that a piece of work has failed, and why."""
        if self.as_json:
            self.tell("error", name=name, message=error.message, hint=error.hint)
        else:
            show_error(error)

    def tell(self, event: str, **fields: Any) -> None:
        """Show an event, for a program."""
        if not self.quiet or event == "error":
            with self._writing:
                stderr.file.write(json.dumps({"event": event, **fields}, default=str) + "\n")
                stderr.file.flush()

    def piece(self) -> "Piece":
        """Progress of one piece of work."""
        return Piece(self)


class Piece:
    """Progress of one piece of work, on a display.

    Args:
        display: The display.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._task = display.bars.add_task("", total=None, unit="", visible=False)
        self._label, self._unit, self._total, self._done, self._shown = "", "", 0, 0, 0.0

    def start(self, label: str, total: int, unit: str = "calls") -> None:
        """Begin ``total`` network calls, or bytes; from the beginning if there was some already."""
        self._label, self._unit, self._total, self._done, self._shown = (
            label,
            unit,
            total,
            0,
            time.monotonic(),
        )
        self._display.bars.reset(
            self._task, description=label, total=total, unit=unit, visible=True
        )
        if self._display.as_json:
            self._display.tell("start", name=label, total=total, unit=unit)

    def advance(self, units: int = 1) -> None:
        """Some calls are done."""
        if self._display.stopped:
            raise KeyboardInterrupt  # in a thread, which no signal reaches
        self._done += units
        self._display.bars.advance(self._task, units)
        now, display = time.monotonic(), self._display
        if display.as_json and (now - self._shown > EVENT_SECONDS or self._done >= self._total):
            self._shown = now
            display.tell(
                "progress", name=self._label, done=self._done, total=self._total, unit=self._unit
            )
        elif not display.as_json and not stderr.is_terminal and now - self._shown > PLAIN_SECONDS:
            self._shown = now
            display.say(f"{self._label}: {self._done} of {self._total} {self._unit}")
