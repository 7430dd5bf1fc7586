"""Progress on stderr: bars for a person, lines for a log, events for a program."""

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

from msdm_cli.cli.console import escape, say, show_error, stderr
from msdm_cli.cli.hints import find_hint
from msdm_cli.errors import MsdmError

PLAIN_SECONDS = 10.0
"""Time between two lines of progress in a log."""

EVENT_SECONDS = 0.5
"""Time between two events of progress."""

STOPPED = "stopped; the same command continues from here"

LOG = logging.getLogger("msdm_cli")


class Display(logging.Handler):
    """Shows progress and messages while jobs run.

    On a terminal it shows a bar for each job; elsewhere a plain line every 10 seconds. With
    ``as_json`` it writes a JSON object per line: ``start``, ``progress``, ``message`` and ``error``
    events.

    Args:
        quiet: Show errors only.
        as_json: Write events.
        farewell: Shown after Ctrl-C.

    Attributes:
        stopped: Whether jobs in threads should end at their next network call.
    """

    def __init__(self, *, quiet: bool, as_json: bool = False, farewell: str = STOPPED) -> None:
        super().__init__(logging.INFO)
        self.quiet = quiet
        self.as_json = as_json
        self.farewell = farewell
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
        """Show a message that the library logs."""
        self.say(record.getMessage())

    def say(self, message: str) -> None:
        """Show a message."""
        if self.as_json:
            self.write_event("message", text=message)
        elif not self.quiet:
            say(message)

    def fail(self, name: str, error: MsdmError, hint: str | None = None) -> None:
        """Show that a job has failed.

        Args:
            name: Name of the job.
            error: Why.
            hint: What to do; found by the class of the error if None.
        """
        if self.as_json:
            hint = hint or find_hint(error)
            self.write_event("error", name=name, message=error.message, hint=hint)
        else:
            show_error(error, hint)

    def write_event(self, event: str, **fields: Any) -> None:
        """Write a line of JSON. A quiet display writes errors only."""
        if self.quiet and event != "error":
            return
        line = json.dumps({"event": event, **fields}, default=str)
        with self._writing:
            stderr.file.write(line + "\n")
            stderr.file.flush()

    def stop(self) -> None:
        """End jobs in threads, which no signal reaches, at their next network call."""
        self.stopped = True

    def piece(self) -> "Piece":
        """Progress of one job."""
        return Piece(self)


class Piece:
    """Progress of one job on a display. It is a ``msdm_cli.progress.Progress``.

    Args:
        display: The display.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._task = display.bars.add_task("", total=None, unit="", visible=False)
        self._label = ""
        self._unit = ""
        self._total = 0
        self._done = 0
        self._shown = 0.0

    def start(self, label: str, total: int, unit: str = "calls") -> None:
        """Begin ``total`` network calls, or bytes. A second call begins again from 0."""
        self._label = label
        self._unit = unit
        self._total = total
        self._done = 0
        self._shown = time.monotonic()
        self._display.bars.reset(
            self._task, description=escape(label), total=total, unit=unit, visible=True
        )
        if self._display.as_json:
            self._display.write_event("start", name=label, total=total, unit=unit)

    def advance(self, units: int = 1) -> None:
        """Report that some units are done.

        Raises:
            KeyboardInterrupt: The display was stopped.
        """
        if self._display.stopped:
            raise KeyboardInterrupt
        self._done += units
        self._display.bars.advance(self._task, units)
        if self._display.as_json:
            self._write_progress()
        elif not stderr.is_terminal and self._is_due(PLAIN_SECONDS):
            self._display.say(f"{self._label}: {self._done} of {self._total} {self._unit}")

    def _write_progress(self) -> None:
        """Write an event now and then, and always at the end."""
        if self._is_due(EVENT_SECONDS) or self._done >= self._total:
            self._display.write_event(
                "progress", name=self._label, done=self._done, total=self._total, unit=self._unit
            )

    def _is_due(self, seconds: float) -> bool:
        """Whether the last report is longer ago than ``seconds``; if so, another one is due now."""
        now = time.monotonic()
        due = now - self._shown > seconds
        if due:
            self._shown = now
        return due
