"""Where results go: a folder of this machine, an address, or the standard output."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from msdm_cli.cli.option_checks import STANDARD
from msdm_cli.cli.options import RESULTS
from msdm_cli.jobs.remote.addresses import is_address, stay_here


def find_folder(path: Path | None) -> Path | None:
    """A folder for results, here or at an address.

    Raises:
        BadParameter: It is the standard output, or an address without a folder.
    """
    if path is not None and str(path) == STANDARD:
        raise typer.BadParameter(f"{path} is the standard output: name a folder")
    return find_output(path)


def find_output(path: Path | None) -> Path | None:
    """The same, or the standard output.

    Raises:
        BadParameter: It is an address without a folder.
    """
    if path is None or not is_address(path / "_"):
        return path
    # A folder of this machine may be called ``live:``.
    if Path(path.parts[0]).exists():
        return stay_here(path)
    if not is_address(path):
        raise typer.BadParameter(f"{path}// has no folder: write s3://bucket/folder")
    return path


def offer_folder(text: str, place: Callable[[Path | None], Path | None] = find_folder) -> Any:
    """The option ``--output``, its help, and what makes a place of its value."""
    return typer.Option(
        "--output", "-o", metavar="DIR", callback=place, rich_help_panel=RESULTS, help=text
    )


FolderOption = Annotated[Path, offer_folder("Folder of the results.")]
OutputOption = Annotated[
    Path,
    offer_folder(
        "Folder of the results, here or at an address, or - for the standard output.", find_output
    ),
]
