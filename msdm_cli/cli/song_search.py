"""The songs in a folder, without the results of earlier runs that lie among them."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from msdm_cli.audio.formats import readable_suffixes
from msdm_cli.errors import UnreadableManifest
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.output import MANIFEST_SUFFIX

log = logging.getLogger(__name__)


def search(path: Path) -> list[Path]:
    """A file itself, or the sound files in a folder, without hidden ones and hidden folders.

    A link to a sound file that is not there is one too: whatever reads it will say so. A folder
    that may not be read is told of, and ends nothing: most disks have one, lost+found.
    """
    if not path.is_dir():
        return [path]
    suffixes = readable_suffixes()
    found = (
        file
        for file in _walk(path, log.warning)
        if file.suffix.lower() in suffixes and not file.name.startswith(".")
    )
    return sorted(file for file in found if file.is_file() or _leads_nowhere(file))


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _walk(path: Path, tell: Callable[[str, str], None] = lambda *_: None) -> Iterator[Path]:
    """The files in a folder, then those in folders that links in there lead to; a folder once.

    Args:
        path: The folder.
        tell: Is given a message with a place in it, and the folder that may not be read.
    """

    def fail(error: OSError) -> None:
        if not isinstance(error, PermissionError):
            raise error
        tell("%s: may not be read, and is passed over", error.filename)

    waiting = [path]
    entered: set[str] = set()
    while waiting:
        for name, inside, files in os.walk(waiting.pop(0), onerror=fail):
            folder = Path(name)
            real = os.path.realpath(folder)
            if real in entered:  # a link may lead to a folder above
                inside.clear()
                continue
            entered.add(real)
            inside[:] = [below for below in inside if not below.startswith(".")]
            waiting += [folder / link for link in inside if (folder / link).is_symlink()]
            yield from (folder / file for file in files)


def leave_out_results(found: list[Path], searched: Path, results: str) -> list[Path]:
    """What was found, without the results of earlier runs.

    Args:
        found: Sound files.
        searched: The folder that they were found in.
        results: Real path of the folder that receives results.
    """
    found = leave_out_folder(found, searched, results)
    made = set()
    for path in _walk(searched):
        if path.suffix == f".{MANIFEST_SUFFIX}":
            with contextlib.suppress(UnreadableManifest):
                manifest = load_manifest(path)
                records = manifest.files.values()
                made |= {_strip_suffix(record.locate(path.parent)) for record in records}
                made |= set(map(_strip_suffix, manifest.list_mixes(path)))
    return [path for path in found if _strip_suffix(path) not in made]


def leave_out_folder(found: list[Path], searched: Path, results: str) -> list[Path]:
    """What was found, without what lies in the folder of the results, if that was not searched."""
    if _lies_in(searched, results):
        return found
    return [path for path in found if not _lies_in(path, results)]


def _strip_suffix(path: Path) -> str:
    """Where a file lies, in any format: stems of an earlier ``--format`` are no songs either."""
    return os.path.splitext(os.path.realpath(path))[0]  # noqa: PTH122  with_suffix refuses some names


def _lies_in(path: Path, folder: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder)
