"""``msdm rerun``."""

from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.console import print_line, say
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import Hint, hinted
from msdm_cli.cli.option_checks import check_devices
from msdm_cli.cli.options import FolderOption, QuietOption
from msdm_cli.errors import MsdmError, ResultsExist, UnreadableAudio, UnsuitableAudio

ELSEWHERE = "Say --input PATH if the file is elsewhere now."

HINTS: dict[type[MsdmError], Hint] = {
    ResultsExist: "Choose another folder with -o.",
    UnreadableAudio: ELSEWHERE,
    UnsuitableAudio: ELSEWHERE,
}


def rerun(
    manifest: Annotated[
        Path, typer.Argument(metavar="MSDM.JSON", help="The description beside results.")
    ],
    folder: FolderOption = Path("rerun"),
    *,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            metavar="PATH",
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
    quiet: QuietOption = False,
) -> None:
    """Make results again from their msdm.json, and compare every bit.

    The same versions give the same bytes on the same device. The exit code is 1 if a file differs.
    """
    from msdm_cli.jobs.rerun import rerun as rerun_job

    with hinted(HINTS), Display(quiet=quiet) as display:
        result, changed = rerun_job(
            manifest, folder, display.piece(), inputs=inputs or (), device=device
        )
    for name in changed:
        say(f"error: {result.files.get(name, name)}: is not the same to the last bit")
    if changed:
        raise typer.Exit(1)
    if not quiet:
        place = result.manifest.parent
        print_line(f"{len(result.files)} files in {place}, the same to the last bit")
