"""``msdm check``."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.console import say, show_json
from msdm_cli.cli.options import JsonOption, QuietOption


def check(
    results: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of results, or their msdm.json.")
    ],
    song: Annotated[Path | None, typer.Argument(metavar="SONG", help="What was separated.")] = None,
    *,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Prove that results are what was made, and that stems sum to their song.

    Exit code 1 if they do not.
    """
    from msdm_cli.jobs.check import check_results

    report = check_results(results, song)
    if as_json:
        show_json(dataclasses.asdict(report))
    elif not quiet:
        typer.echo(f"{len(report.whole)} files are as they were made")
        if report.exact:
            typer.echo("the stems sum to the song, exactly")
        elif report.null_db is not None:
            typer.echo(f"the stems sum to the song, but for {report.null_db:.1f} dB")
        for note in report.notes:
            typer.echo(note)
    for problem in report.problems:
        say(f"error: {problem}")
    if report.problems:
        raise typer.Exit(1)
