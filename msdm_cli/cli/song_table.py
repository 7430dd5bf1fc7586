"""``--csv``: a table of all songs, a row as soon as each ends."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msdm_cli.cli.hints import Hint, find_errno_hint, hinted
from msdm_cli.cli.outcome import Outcome
from msdm_cli.errors import MsdmError, ResultsExist, UnwritableResults
from msdm_cli.jobs.remote.addresses import to_address

COLUMNS = (
    "song",
    "state",
    "music_seconds",
    "wall_seconds",
    "speed",
    "machine",
    "seed",
    "description",
    "error",
    "hint",
)


HEAD = ",".join(COLUMNS).encode()
"""What a table begins with."""

ELSEWHERE = "choose another file with --csv"
HINTS: dict[type[MsdmError], Hint] = {
    ResultsExist: f"{ELSEWHERE.capitalize()}.",
    UnwritableResults: lambda error: find_errno_hint(error, ELSEWHERE),
}


class SongTable:
    """Rows of a table. Without a file, they go nowhere.

    Args:
        path: The file. An older table in it is replaced.

    Raises:
        ResultsExist: The file is no table of songs.
        UnwritableResults: It cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._error: UnwritableResults | None = None
        self._path = path
        self._open = contextlib.ExitStack()
        if path is None:
            return
        with hinted(HINTS), self._named():
            _check_table(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Names may be no UTF-8. Buffered by lines: the rows stay whatever happens.
            file = path.open("w", 1, "utf-8", "surrogateescape", newline="")
            self._writer = csv.DictWriter(self._open.enter_context(file), COLUMNS)
            self._writer.writeheader()

    def __enter__(self) -> "SongTable":
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):  # the row that could not be written is tried again
            self._open.close()

    def add(self, outcome: Outcome, machine: str) -> None:
        """Write how a song has ended. A full disk does not end the other songs."""
        if self._path is None or self._error is not None:
            return
        try:
            with hinted(HINTS), self._named():
                self._writer.writerow(_describe(outcome) | {"machine": machine})
        except UnwritableResults as error:
            self._error = error

    def check(self) -> None:
        """Make sure that no row is missing.

        Raises:
            UnwritableResults: The disk is full.
        """
        if self._error is not None:
            raise self._error

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnwritableResults(
                f"{self._path}: cannot be written ({error.strerror})", "Choose another file."
            ) from error


def _check_table(path: Path) -> None:
    """Refuse to replace what is no table of songs, such as a song or a list of songs.

    Raises:
        ResultsExist: It is none.
    """
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            head = file.read(len(HEAD))
        if head != HEAD:
            raise ResultsExist(
                f"{path}: is there already, and is no table of songs", "Choose another file."
            )


def _describe(outcome: Outcome) -> dict[str, Any]:
    row = {"song": outcome.name, "wall_seconds": round(outcome.seconds, 3)}
    result = outcome.result
    if isinstance(result, MsdmError):
        return {**row, "state": "failed", "error": result.message, "hint": outcome.hint}
    seconds = result.properties.seconds
    made = {"state": "done", "speed": round(seconds / max(outcome.seconds, 1e-9), 2)}
    return {
        **row,
        **({"state": "was there"} if result.skipped else made),
        "music_seconds": round(seconds, 3),
        "seed": "" if result.seed is None else result.seed,
        "description": to_address(result.manifest),
    }
