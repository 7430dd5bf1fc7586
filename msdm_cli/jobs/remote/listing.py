"""The songs that lie at an address."""

import re
from pathlib import Path

from msdm_cli.errors import InputError
from msdm_cli.jobs.remote.addresses import to_address
from msdm_cli.jobs.remote.storage import connect, find_parent

MAGIC = re.compile(r"[*?[]")


def list_songs(path: Path, suffixes: tuple[str, ...], made: str) -> list[Path]:
    """The songs that an address means: a file itself, or those in a folder or of a pattern.

    Args:
        path: The address.
        suffixes: Of songs, with their dots.
        made: Name of the file that lies beside results: what is in its folder is no song.

    Raises:
        InputError: It cannot be listed.
    """
    with connect(path, InputError, "listed") as (storage, place):
        if MAGIC.search(place) and not storage.exists(place):  # song [live].flac may be a name
            found = storage.glob(place)
        elif storage.isdir(place):
            found = storage.find(place)
        else:
            return [path]
        results = {find_parent(name) for name in found if name.rpartition("/")[2] == made}
        # A storage forgets its host in the names that it lists.
        start = to_address(path).rstrip("/").removesuffix(place.rstrip("/"))
        songs = [
            Path(start + name)
            for name in sorted(found)
            if name.lower().endswith(suffixes) and find_parent(name) not in results
        ]
    return [song for song in songs if not song.name.startswith(".")]
