"""What is shown once: messages on stderr, tables and JSON on stdout. Rich lives here and in ``display``."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.jobs.estimate import Estimate

stderr = Console(stderr=True)
stdout = Console()


def say(message: str) -> None:
    """One line on stderr, as it is."""
    stderr.print(message, markup=False, highlight=False, soft_wrap=True)


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
        show_json(
            [{"name": name, **dataclasses.asdict(estimate)} for name, estimate in estimates.items()]
        )
        return
    rows = [(name, *_describe(estimate)) for name, estimate in estimates.items()]
    columns = ("", "length", "network calls", "their time", "peak memory", "written", "journal")
    show_table(f"{device}, nothing was done", columns, rows)


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
    """One JSON document on stdout; JSON has no NaN and no infinity, they become null."""
    stdout.file.write(json.dumps(_finite(summary), indent=2, default=str, allow_nan=False) + "\n")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
