"""Progress on stderr: a bar for a person, lines for a log, events for a program."""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from msdm_cli.cli.bar import ProgressBar
from msdm_cli.cli.console import say, show_error, stderr
from msdm_cli.cli.folding import escape
from msdm_cli.cli.headway import Headway
from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.signals import listen
from msdm_cli.cli.tally import Tally
from msdm_cli.errors import MsdmError

PLAIN_SECONDS = 10.0
"""Time between two lines of progress in a log."""

EVENT_SECONDS = 0.5
"""Time between two events of progress."""

STOPPED = "stopped; the same command continues from here"
STOPPING = "stopping after this network call; a second Ctrl-C ends at once"

LOG = logging.getLogger("msdm_cli")


class Display(logging.Handler):
    """Shows progress and messages while jobs run.

    On a terminal it shows one bar for all jobs; elsewhere a plain line every 10 seconds. With
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
        self.bar = ProgressBar(disable=quiet or as_json or not stderr().is_terminal)
        self._tally: Tally | None = None
        self._kind = ""
        self._writing = threading.Lock()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Display":
        self.bar.start()
        self._open.enter_context(listen(lambda: self.say(STOPPING)))
        LOG.addHandler(self)
        LOG.setLevel(logging.INFO)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()
        self._open.close()
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
            stderr().file.write(line + "\n")
            stderr().file.flush()

    @contextlib.contextmanager
    def loading(self, name: str) -> Iterator[None]:
        """Show that a model is being loaded, which takes seconds; a log has no use for it."""
        text = f"loading the model {name} ..."
        if self.as_json:
            self.write_event("message", text=text)
        if self.quiet or self.as_json or not stderr().is_terminal:
            yield
            return
        from rich.text import Text

        with stderr().status(Text(escape(text))):  # markup in the name is text
            yield

    def expect(self, kind: str, sizes: Mapping[str, float]) -> None:
        """Prepare for several jobs, which share one bar.

        Args:
            kind: What a job is called: song.
            sizes: About how much work each job is, by name, in any unit.
        """
        self._tally = Tally(sizes)
        self._kind = kind

    def end_elsewhere(self, name: str, headway: Headway, *, skipped: bool) -> None:
        """Show that a job which ran on another machine has ended, and how far all are."""
        assert self._tally is not None
        self._tally.end_elsewhere(name, headway.began, skipped=skipped)
        self.bar.show(self._tally, self._kind, "", "", headway.describe())
        if self.as_json:
            self.write_event("progress", name=self._kind, **headway.to_json())

    def stop(self) -> None:
        """End jobs in threads, which no signal reaches, at their next network call."""
        self.stopped = True

    def piece(self, name: str = "") -> "Piece":
        """Progress of one job, which was expected under this name or stands alone."""
        alone = self._tally is None or self._tally.count == 1
        tally = Tally({name: 1.0}) if self._tally is None else self._tally
        return Piece(self, name, tally, "" if alone else self._kind)


class Piece:
    """Progress of one job on a display. It is a ``msdm_cli.progress.Progress``.

    Args:
        display: The display.
        name: Name of the job in the tally.
        tally: Counts this job, and those beside it.
        kind: What a job is called, if there are several.
    """

    def __init__(self, display: Display, name: str, tally: Tally, kind: str) -> None:
        self._display = display
        self._name = name
        self._tally = tally
        self._kind = kind
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
        self._tally.begin(self._name, total, self._shown)
        self._update()
        if self._display.as_json:
            self._display.write_event("start", name=label, total=total, unit=unit)

    def advance(self, units: int = 1) -> None:
        """Report that some units are done.

        Raises:
            KeyboardInterrupt: The display was stopped.
        """
        self._advance(units, skipped=False)

    def skip(self, units: int = 1) -> None:
        """Report units that an earlier run has done.

        Raises:
            KeyboardInterrupt: The display was stopped.
        """
        self._advance(units, skipped=True)

    def end(self) -> None:
        """The job has ended, well or not."""
        self._tally.end(self._name)
        self._update()

    def _advance(self, units: int, *, skipped: bool) -> None:
        if self._display.stopped:
            raise KeyboardInterrupt
        self._done += units
        self._tally.add(self._name, units, skipped=skipped)
        self._update()
        if self._display.as_json:
            self._write_progress()
        elif not stderr().is_terminal and self._is_due(PLAIN_SECONDS):
            self._display.say(f"{self._label}: {self._done} of {self._total} {self._unit}")

    def _update(self) -> None:
        self._display.bar.show(self._tally, self._kind, self._label, self._unit)

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
