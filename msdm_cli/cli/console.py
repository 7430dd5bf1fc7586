"""Messages on stderr, tables and JSON on stdout. Progress is in ``display`` and ``bar``."""

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msdm_cli.cli.folding import Folded, Lines, escape, fold
from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.times import format_time
from msdm_cli.errors import MsdmError
from msdm_cli.jobs.remote.addresses import to_address

if TYPE_CHECKING:
    from rich.box import Box
    from rich.console import Console

    from msdm_cli.jobs.estimate import Estimate


@cache
def stderr() -> "Console":
    """What errors, messages and progress are printed on."""
    from rich.console import Console

    return Console(stderr=True, emoji=False)


@cache
def stdout() -> "Console":
    """What results are printed on."""
    from rich.console import Console

    return Console(emoji=False)


BOX = "━┃│─┼╇"
"""Some of the lines of a table."""

GAP = " │ "


def say(message: str) -> None:
    """Print a line on stderr. Markup in it is text."""
    stderr().print(escape(message), markup=False, highlight=False, soft_wrap=True)


def print_line(text: str) -> None:
    """Print a line on stdout. Markup in it is text."""
    stdout().print(escape(text), markup=False, highlight=False, soft_wrap=True)


def show_error(error: MsdmError, hint: str | None = None) -> None:
    """Print two lines on stderr: what happened, and what to do.

    Args:
        error: What happened.
        hint: What to do; found by the class of the error if None.
    """
    lines = (f"error: {error.message}", f"  {hint or find_hint(error)}")
    # In one piece: songs in several threads may fail together.
    text = "\n".join(map(escape, lines))
    stderr().print(text, markup=False, highlight=False, soft_wrap=True)


def show_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on stdout; a list if it does not fit, so that no name is broken."""
    print_line(title)
    if not rows:
        return
    cells = [[Folded(_make_safe(value)) for value in row] for row in rows]
    heads = [Folded(column) for column in columns]
    widths = [max(cell.narrowest for cell in column) for column in zip(heads, *cells, strict=True)]
    if sum(widths) + len(GAP) * (len(columns) - 1) > stdout().width:
        _show_list(columns, rows)
        return
    from rich.table import Table

    table = Table(show_edge=False, box=_choose_box())
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, min_width=width)
    for row in cells:
        table.add_row(*row)
    stdout().print(table)


def _make_safe(text: str) -> str:
    """The text of a cell, safe for a terminal: a name with a line break does not forge a row."""
    return text if isinstance(text, Lines) else escape(text)


def _choose_box() -> "Box":
    """Lines that the encoding of stdout has."""
    from rich import box

    try:
        BOX.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return box.ASCII2
    return box.HEAVY_HEAD


def _show_list(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    """Print each row as a paragraph: its first cell, then the others below, with their heads."""
    for row in rows:
        for number, (column, value) in enumerate(zip(columns, row, strict=True)):
            head = f"  {column}: " if number and column else "  " * min(number, 1)
            lines = fold(_make_safe(value), stdout().width - len(head))
            for line in lines:
                stdout().print(
                    head + line,
                    markup=False,
                    highlight=False,
                    no_wrap=True,
                    overflow="ignore",
                    crop=False,
                )
                head = " " * len(head)


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
        format_time(estimate.audio_seconds),
        str(estimate.calls),
        format_time(estimate.seconds),
        *megabytes,
    )


def show_json(summary: object) -> None:
    """Print a JSON document on stdout. NaN and infinity become null, since JSON has neither."""
    import json

    text = json.dumps(_replace_nan(summary), indent=2, default=to_address, allow_nan=False)
    stdout().file.write(text + "\n")
    stdout().file.flush()


def _replace_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _replace_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
