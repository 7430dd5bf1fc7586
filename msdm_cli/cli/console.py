"""The terminal: progress bars and messages on stderr, results on stdout. Rich lives only here."""

import dataclasses
import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.pipelines.estimate import Estimate
    from msdm_cli.pipelines.work import Done

PLAIN_SECONDS = 10.0

stderr = Console(stderr=True)
stdout = Console()


LOG = logging.getLogger("msdm_cli")


class _Lines(logging.Handler):
    """What the library logs, a line each on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


class ConsoleProgress:
    """Progress as a Rich bar on a terminal, as a plain line now and then elsewhere, or not at all.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr,
            disable=quiet or not stderr.is_terminal,
        )
        self._lines = _Lines()
        self._task: TaskID | None = None
        self._label, self._unit, self._total, self._done, self._shown = "", "", 0, 0, 0.0

    def __enter__(self) -> "ConsoleProgress":
        self._bars.start()
        if not self._quiet:
            LOG.addHandler(self._lines)
            LOG.setLevel(logging.INFO)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
        LOG.removeHandler(self._lines)
        if kind is KeyboardInterrupt and not self._quiet:
            say("stopped; the same command, with the same seed or none, goes on from here")

    def start(self, label: str, total: int, unit: str = "calls") -> None:
        """Begin a bar of ``total`` network calls, or bytes."""
        self._label, self._unit, self._total, self._done, self._shown = label, unit, total, 0, time.monotonic()
        self._task = self._bars.add_task(label, total=total, unit=unit)

    def advance(self, units: int = 1) -> None:
        """Some calls are done."""
        self._done += units
        if self._task is not None:
            self._bars.advance(self._task, units)
        now = time.monotonic()
        if not (self._quiet or stderr.is_terminal) and now - self._shown > PLAIN_SECONDS:
            self._shown = now
            say(f"{self._label}: {self._done} of {self._total} {self._unit}")


def say(message: str) -> None:
    """One line on stderr, as it is."""
    stderr.print(message, markup=False, highlight=False, soft_wrap=True)


def tell_of_gain(what: str, done: "Done") -> None:
    """Say so if results are not as loud as they would be, or were clipped."""
    if done.gain_db:
        say(f"{what}: {done.gain_db:.2f} dB, so that nothing clips; --subtype FLOAT needs no gain")
    if done.clipped:
        say(f"{what}: {done.clipped} samples beyond full scale were clipped; --subtype FLOAT keeps them")


def show_error(error: MsdmError) -> None:
    """Two lines on stderr: what happened, and what to do."""
    say(f"error: {error.message}")
    say(f"  {error.hint}")


def show_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on stdout."""
    table = Table(title=title, title_justify="left", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(value.replace("[", r"\[") for value in row))
    stdout.print(table)


def show_estimates(estimates: "Mapping[str, Estimate]", device: str, *, as_json: bool) -> None:
    """What work would cost, on stdout."""
    if as_json:
        show_json([{"name": name, **dataclasses.asdict(estimate)} for name, estimate in estimates.items()])
        return
    rows = [
        (
            name, f"{e.audio_seconds:.1f} s", str(e.calls), f"{e.seconds:.0f} s",
            "?" if e.memory_bytes is None else f"{e.memory_bytes / 1e6:.0f} MB", f"{e.output_bytes / 1e6:.1f} MB",
        )
        for name, e in estimates.items()
    ]  # fmt: skip
    columns = ("", "length", "network calls", "their time", "peak memory", "written")
    show_table(f"{device}, nothing was done", columns, rows)


def show_json(summary: object) -> None:
    """One JSON document on stdout; JSON has no NaN and no infinity, they become null."""
    stdout.file.write(json.dumps(_finite(summary), indent=2, default=str, allow_nan=False) + "\n")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
