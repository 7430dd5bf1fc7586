"""One bar for all jobs of a command, on a line of the terminal."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from msdm_cli.cli.console import stderr
from msdm_cli.cli.folding import escape, shorten
from msdm_cli.cli.tally import Tally
from msdm_cli.cli.times import format_clock

if TYPE_CHECKING:
    from rich.progress import Progress

BAR_WIDTH = 14
OTHERS_WIDTH = 54
"""Width of everything but the name, at most."""

SHORTEST_NAME = 8


class ProgressBar:
    """A bar for one job, or for several together.

    Args:
        disable: Show nothing.
    """

    def __init__(self, *, disable: bool) -> None:
        self._bars = None if disable else _make_bars()

    def start(self) -> None:
        """Take a line of the terminal."""
        if self._bars is not None:
            self._bars.start()

    def stop(self) -> None:
        """Give the line back, without the bar."""
        if self._bars is not None:
            self._bars.stop()

    def show(self, tally: Tally, kind: str, label: str, unit: str, note: str = "") -> None:
        """Show how far jobs are.

        Args:
            tally: Counts them.
            kind: What a job is called, if there are several.
            label: What this job calls itself.
            unit: What is counted.
            note: Shown in the place of units.
        """
        if self._bars is None:
            return
        done, total = tally.units
        left = tally.seconds_left(time.monotonic())
        self._bars.update(
            self._bars.task_ids[0],
            description=_describe(tally, kind, label),
            completed=tally.share,
            units=f"{done}/{total} {unit}" if total else note,
            left="" if left is None else f"{format_clock(left)} left",
            visible=tally.ended < tally.count,
        )


def _make_bars() -> "Progress":
    """The only bar, of rich."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[units]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=stderr(),
        transient=True,
    )
    bars.add_task("", total=1.0, units="", left="", visible=False)
    return bars


def _describe(tally: Tally, kind: str, label: str) -> str:
    """What runs: ``song 12 of 36: names``, or the only label."""
    width = max(stderr().width - OTHERS_WIDTH, SHORTEST_NAME)
    if not kind:
        return shorten(escape(label), width)
    running = tally.running
    first = min(tally.ended + 1, tally.count)
    last = min(tally.ended + max(len(running), 1), tally.count)
    numbers = str(first) if first == last else f"{first} to {last}"
    which = f"{kind} {numbers} of {tally.count}"
    names = ", ".join(escape(Path(name).name) for name in running)
    if not names:
        return which
    return f"{which}: {shorten(names, max(width - len(which) - 2, SHORTEST_NAME))}"
