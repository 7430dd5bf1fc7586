"""Messages on stderr, tables and JSON on stdout. Only this module and ``display`` import rich."""

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from msdm_cli.cli.hints import find_hint
from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.jobs.estimate import Estimate

stderr = Console(stderr=True)
stdout = Console()

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Characters that move the cursor, change colours, turn text around, or cannot be encoded."""


def escape(text: str) -> str:
    """Text from files, tags and paths, safe for a terminal."""
    return UNSAFE.sub(lambda match: ascii(match.group())[1:-1], text)


def say(message: str) -> None:
    """Print a line on stderr. Markup in it is text."""
    stderr.print(escape(message), markup=False, highlight=False, soft_wrap=True)


def print_line(text: str) -> None:
    """Print a line on stdout. Markup in it is text."""
    stdout.print(escape(text), markup=False, highlight=False, soft_wrap=True)


def show_error(error: MsdmError, hint: str | None = None) -> None:
    """Print two lines on stderr: what happened, and what to do.

    Args:
        error: What happened.
        hint: What to do; found by the class of the error if None.
    """
    say(f"error: {error.message}")
    say(f"  {hint or find_hint(error)}")


def show_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on stdout."""
    table = Table(title=title, title_justify="left", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(escape(value)) for value in row))
    stdout.print(table)


def show_estimates(estimates: "Mapping[str, Estimate]", device: str, *, as_json: bool) -> None:
    """Print on stdout what jobs would cost, by name."""
    if as_json:
        show_json(
            [{"name": name, **dataclasses.asdict(estimate)} for name, estimate in estimates.items()]
        )
        return
    rows = [(name, *_describe(estimate)) for name, estimate in estimates.items()]
    columns = ("", "length", "calls", "time", "memory", "written", "journal")
    show_table(f"{device}: a dry run, nothing was written", columns, rows)


def _describe(estimate: "Estimate") -> tuple[str, ...]:
    sizes = (estimate.memory_bytes, estimate.output_bytes, estimate.journal_bytes)
    megabytes = ("?" if size is None else f"{size / 1e6:.0f} MB" for size in sizes)
    return (
        f"{estimate.audio_seconds:.1f} s",
        str(estimate.calls),
        f"{estimate.seconds:.0f} s",
        *megabytes,
    )


def show_json(summary: object) -> None:
    """Print a JSON document on stdout. NaN and infinity become null, since JSON has neither."""
    text = json.dumps(_replace_nan(summary), indent=2, default=str, allow_nan=False)
    stdout.file.write(text + "\n")


def _replace_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _replace_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
