"""``msdm check``."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.console import print_line, say, show_json
from msdm_cli.cli.option_checks import check_here
from msdm_cli.cli.options import JsonSummaryOption, QuietOption


def check(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            callback=check_here,
            help="A folder of results, or the msdm.json in it.",
        ),
    ],
    song: Annotated[
        Path | None,
        typer.Argument(
            metavar="SONG", callback=check_here, help="The song, if it is not where it was."
        ),
    ] = None,
    *,
    quiet: QuietOption = False,
    as_json: JsonSummaryOption = False,
) -> None:
    """Check that results are unchanged and sum to their song.

    The exit code is 1 if they are not. A song that is not found is not compared; that is said.
    """
    from msdm_cli.jobs.check import check_results

    report = check_results(results, song)
    if as_json:
        show_json(dataclasses.asdict(report))
    elif not quiet:
        count = len(report.whole)
        print_line(f"{count} file{'' if count == 1 else 's'} unchanged")
        if report.exact:
            print_line("the stems sum to the song, exactly")
        elif report.null_db is not None and not report.problems:
            level = f"the stems sum to the song to within {report.null_db:.1f} dB"
            print_line(
                f"{level}: {report.lossy} is lossy" if report.lossy else f"{level} (rounding)"
            )
        for note in report.notes:
            print_line(note)
    for problem in report.problems:
        say(f"error: {problem}")
    if report.problems:
        raise typer.Exit(1)
