"""Several pieces of work, one after the other: one that fails does not end the rest, and does not exit 0."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from msdm_cli.cli.console import ConsoleProgress, show_error, show_json, show_table, tell_of_gain
from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.pipelines.work import Done

Work = Callable[[ConsoleProgress], "Done"]


def run_batch(kind: str, device: str, pieces: Mapping[str, Work], *, quiet: bool, as_json: bool) -> None:
    """Do all pieces, then show what was done.

    Args:
        kind: What a piece is, in the summary.
        device: Where it is done, in the summary.
        pieces: What does each piece, by its name.
        quiet: Show errors only.
        as_json: Show the summary as JSON.
    """
    rows: list[tuple[str, ...]] = []
    summary: list[dict[str, Any]] = []
    with ConsoleProgress(quiet=quiet) as progress:
        for name, work in pieces.items():
            began = time.monotonic()
            try:
                done = work(progress)
            except MsdmError as error:
                show_error(error)
                rows.append((name, "failed", "", error.message))
                summary.append({kind: name, "error": error.message, "hint": error.hint})
                continue
            seconds = time.monotonic() - began
            if not quiet:
                tell_of_gain(name, done)
            speed = "was there" if done.skipped else f"{done.properties.seconds / seconds:.1f}x real time"
            rows.append((name, speed, str(done.seed), ", ".join(str(path) for path in done.files.values())))
            summary.append({kind: name, **dataclasses.asdict(done), "wall_seconds": round(seconds, 3)})
    if as_json:
        show_json(summary)
    elif not quiet:
        show_table(device, (kind, "speed", "seed", "written"), rows)
    if any("error" in entry for entry in summary):
        raise typer.Exit(1)
