"""Where a page goes, and what it may replace."""

from pathlib import Path

from msdm_cli.errors import ResultsExist, UnwritableResults
from msdm_cli.jobs.output import place_beside
from msdm_cli.page.template import Page, render
from msdm_cli.temporary import remove_stale, write_whole

NAME = "index"
TAKES = "takes"
"""Of the page that compares takes, in a folder with results of its own."""
SUFFIX = "html"
MARK = b'<meta name="generator" content="msdm page">'
MARKED_BYTES = 1000
"""Our mark stands within the first bytes."""
COMPARES = b'" data-exclusive>'
HEAD_BYTES = 16_384
"""That it compares takes stands after the style."""


def place_page(manifest: Path) -> Path:
    """Where the page of a manifest goes: ``song-index.html`` beside ``song-msdm.json``."""
    return place_beside(manifest, NAME, f".{SUFFIX}")


def is_ours(path: Path) -> bool:
    """Whether a file is a page that msdm has written."""
    return MARK in _read_head(path, MARKED_BYTES)


def compares_takes(path: Path) -> bool:
    """Whether a file is such a page, and one that compares takes."""
    return is_ours(path) and COMPARES in _read_head(path, HEAD_BYTES)


def _read_head(path: Path, size: int) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def check_page(path: Path) -> None:
    """Refuse to write over what is no page of ours.

    Raises:
        ResultsExist: There is another file.
    """
    if path.exists() and not is_ours(path):
        raise ResultsExist(
            f"{path}: is no page of msdm's, and stays as it is",
            "Rename it, if you want a page there.",
        )


def save_page(page: Page, path: Path) -> None:
    """Write a page, never half.

    Raises:
        ResultsExist: There is another file.
        UnwritableResults: The folder cannot be written.
    """
    check_page(path)
    try:
        remove_stale(path)
        write_whole(path, render(page).encode())
    except OSError as error:
        raise UnwritableResults(
            f"{path}: cannot be written ({error})", "Make room on the disk."
        ) from error
