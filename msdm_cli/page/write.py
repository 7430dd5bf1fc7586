"""Writing the pages of results: one for each song, and one that compares takes."""

from collections.abc import Callable
from pathlib import Path

from msdm_cli.errors import MissingStems, UnreadableManifest
from msdm_cli.jobs.manifest import list_manifests
from msdm_cli.jobs.stem_folder import StemFolder, open_stem_folder
from msdm_cli.page.build import build_gallery, build_page, warn
from msdm_cli.page.place import (
    NAME,
    SUFFIX,
    TAKES,
    check_page,
    compares_takes,
    place_page,
    save_page,
)


def write_pages(path: Path, tell: Callable[[str], None] = warn) -> list[Path]:
    """Write the page of a folder or a manifest, and of a folder the one that compares its takes.

    Raises:
        MissingStems, UnreadableManifest, ResultsExist, UnwritableResults: As ``write_page``.
    """
    takes = find_takes(path) if path.is_dir() else []
    own = not takes or bool(list_manifests(path))
    pages = [write_page(path, tell)] if own else []
    return [*pages, write_gallery(path, tell)] if takes else pages


def write_page(path: Path, tell: Callable[[str], None] = warn) -> Path:
    """Write the page of a folder of stems, or of the results that a manifest describes.

    Args:
        path: The folder or the manifest.
        tell: Is told why a file cannot be read, which the page leaves out.

    Raises:
        MissingStems: There is nothing to show.
        UnreadableManifest: The manifest is damaged, or the folder holds several.
        ResultsExist: A file that is no page of ours is in the way.
        UnwritableResults: The folder cannot be written.
    """
    opened = open_stem_folder(path)
    place = _place(opened)
    check_page(place)
    page = build_page(opened, place, tell)
    if compares_takes(place):  # the folder had takes before it had results of its own
        moved = place_gallery(place.parent)
        check_page(moved)
        place.replace(moved)
    save_page(page, place)
    return place


def write_gallery(folder: Path, tell: Callable[[str], None] = warn) -> Path:
    """Write a page that compares the takes in the folders of a folder, and the pages of these.

    Args:
        folder: Holds the folders of the takes.
        tell: As in ``write_page``.

    Raises:
        MissingStems: There are no takes.
        ResultsExist, UnwritableResults: As ``write_page``.
    """
    takes = {}
    for manifest in find_takes(folder):
        opened = open_stem_folder(manifest)
        place = _place(opened)
        if not place.exists():
            write_page(manifest, tell)
        takes[place] = opened
    place = place_gallery(folder)
    check_page(place)
    save_page(build_gallery(folder.absolute().name, takes, place, tell), place)
    return place


def place_gallery(folder: Path) -> Path:
    """Where the page that compares the takes of a folder goes.

    Results that lie in the folder itself have a page of the usual name.
    """
    return folder / f"{TAKES if list_manifests(folder) else NAME}.{SUFFIX}"


def find_takes(folder: Path) -> list[Path]:
    """The manifests of takes in the folders of a folder, links left out: results that hold a mix.

    Raises:
        MissingStems: The folder cannot be read.
    """
    try:
        # A page would be written through a link.
        below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MissingStems(f"{folder}: {reason}", "Name a folder of stems.") from error
    found = []
    for path in below:
        for manifest in list_manifests(path):
            try:
                opened = open_stem_folder(manifest)
            except (UnreadableManifest, MissingStems):
                continue
            if opened.mixes:
                found.append(manifest)
    return found


def _place(opened: StemFolder) -> Path:
    if opened.manifest_path is not None:
        return place_page(opened.manifest_path)
    return opened.folder / f"{NAME}.{SUFFIX}"
