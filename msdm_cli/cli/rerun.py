"""``msdm rerun``."""

import math
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.backends.runtime import MOST_THREADS
from msdm_cli.cli.console import print_line, say
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import Hint, hinted
from msdm_cli.cli.option_checks import check_devices, check_here
from msdm_cli.cli.options import QuietOption
from msdm_cli.cli.places import FolderOption
from msdm_cli.errors import MsdmError, ResultsExist, UnreadableAudio, UnsuitableAudio

ELSEWHERE = "Say --input PATH if the file is elsewhere now."

ALIKE = "versions, threads, processor and device are the same"

HINTS: dict[type[MsdmError], Hint] = {
    ResultsExist: "Choose another folder with -o.",
    UnreadableAudio: ELSEWHERE,
    UnsuitableAudio: ELSEWHERE,
}


def rerun(
    manifest: Annotated[
        Path,
        typer.Argument(
            metavar="MSDM.JSON", callback=check_here, help="The description beside results."
        ),
    ],
    folder: FolderOption = Path("rerun"),
    *,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            metavar="PATH",
            callback=check_here,
            help="An input that is not where it was. Repeat it for others.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="NAME",
            callback=check_devices,
            help="Where to run. As before by default.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            min=1,
            max=MOST_THREADS,
            metavar="N",
            help="Threads of a CPU. As before by default.",
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Make results again from their msdm.json, and compare every bit.

    The same versions give the same bytes with the same number of threads on the same processor. The
    exit code is 1 if a file differs.
    """
    from msdm_cli.jobs.rerun import rerun as rerun_job

    check_here(folder)
    with hinted(HINTS), Display(quiet=quiet) as display:
        made = rerun_job(
            manifest, folder, display.piece(), inputs=inputs or (), device=device, threads=threads
        )
    for name, level in made.changed.items():
        path = made.result.files.get(name, name)
        say(f"error: {path}: is not the same to the last bit{describe_level(level)}")
    if made.changed:
        for difference in made.differences or [ALIKE]:
            say(difference)
        raise typer.Exit(1)
    if not quiet:
        place = made.result.manifest.parent
        print_line(f"{len(made.result.files)} files in {place}, the same to the last bit")


def describe_level(level: float | None) -> str:
    """How large the largest difference of two files is, as the end of a sentence."""
    if level is None:
        return "; there is nothing to compare it with"
    if level == -math.inf:
        return ", but its samples are the same"
    return f"; the largest difference is {level:.1f} dB relative to full scale"
