"""``msdm rerun``."""

from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.console import say
from msdm_cli.cli.display import Display
from msdm_cli.cli.options import FolderOption, QuietOption


def rerun(
    manifest: Annotated[
        Path, typer.Argument(metavar="MSDM.JSON", help="What lies beside results.")
    ],
    folder: FolderOption = Path("rerun"),
    *,
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", metavar="PATH", help="An input that is elsewhere now; repeatable."),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Where to run; as then by default.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Make results again from their msdm.json, and compare them with what it says.

    Same versions, same device, same bytes; exit code 1 if not.
    """
    from msdm_cli.jobs.rerun import rerun as run

    with Display(quiet=quiet) as display:
        done, changed = run(manifest, folder, display.piece(), inputs=inputs or (), device=device)
    for name in changed:
        say(f"error: {done.files.get(name, name)}: is not the same to the last bit")
    if changed:
        raise typer.Exit(1)
    if not quiet:
        typer.echo(f"{len(done.files)} files in {done.manifest.parent}, the same to the last bit")
