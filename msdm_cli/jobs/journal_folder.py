"""The folder of a journal: what is in there, and what may be removed."""

import contextlib
import json
import os
import re
from pathlib import Path

from filelock import FileLock

from msdm_cli.digest import digest_file
from msdm_cli.errors import UnwritableResults
from msdm_cli.small_files import read_small

IDENTITY = "job.json"
NAMED = "named.json"
LOCK = "lock"
CHUNK = ".chunk"
OWN_NAMES = re.compile(rf"{IDENTITY}|{NAMED}|{LOCK}|\d+{CHUNK}|\..*\.part")
"""Names of all that a journal writes."""


def check_own(folder: Path) -> None:
    """Make sure that a folder is a journal's: what else is in there would be in danger.

    Raises:
        UnwritableResults: It is a link, no folder, or holds what no journal writes.
    """
    if not os.path.lexists(folder):
        return
    foreign = ""
    if folder.is_symlink() or not folder.is_dir():
        foreign = "is a link or no folder"
    else:
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            others = sorted(entry.name for entry in os.scandir(folder) if not _is_own(entry))
            foreign = f"holds {others[0]}" if others else ""
    if foreign:
        raise UnwritableResults(
            f"{folder}: {foreign}, and so is not the journal of an unfinished job",
            "Remove it, or choose another folder.",
        )


def _is_own(entry: os.DirEntry[str]) -> bool:
    return bool(OWN_NAMES.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False)


def list_chunks(folder: Path) -> list[Path]:
    """The chunks in a journal."""
    return [path for path in folder.glob(f"*{CHUNK}") if OWN_NAMES.fullmatch(path.name)]


def is_named(folder: Path, name: str, path: Path) -> bool:
    """Whether a journal says of a file that it is the result ``name`` of its job."""
    try:
        named = json.loads(read_small(folder / NAMED))
        return isinstance(named, dict) and named.get(name) == digest_file(path)
    except (OSError, ValueError, RecursionError):
        return False


def remove_journal(folder: Path, lock: FileLock) -> None:
    """Remove what a journal wrote, and its folder, before the lock inside it is released."""
    # The chunks go first: what is left by a process that is killed here still says of which job.
    for path in list_chunks(folder):
        with contextlib.suppress(OSError):
            path.unlink()
    _remove_own(folder)
    lock.release()
    _remove_own(folder)  # Windows removes no open file


def _remove_own(folder: Path) -> None:
    with contextlib.suppress(OSError):
        own = [Path(entry.path) for entry in os.scandir(folder) if _is_own(entry)]
        # The lock goes last: until then, no other process takes the folder for its own. What was
        # named means nothing without the job that named it.
        for path in sorted(own, key=lambda path: (path.name == LOCK, path.name == IDENTITY)):
            path.unlink()
        folder.rmdir()
