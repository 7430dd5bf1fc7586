"""``--csv``: a table of all songs, a row as soon as each ends."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msdm_cli.cli.outcome import Outcome
from msdm_cli.errors import MsdmError, UnwritableResults
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


class SongTable:
    """Rows of a table. Without a file, they go nowhere.

    Args:
        path: The file; what is in it is replaced.

    Raises:
        UnwritableResults: It cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._open = contextlib.ExitStack()
        if path is None:
            return
        with self._named():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Names may be no UTF-8. Buffered by lines: the rows stay whatever happens.
            file = path.open("w", 1, "utf-8", "surrogateescape", newline="")
            self._writer = csv.DictWriter(self._open.enter_context(file), COLUMNS)
            self._writer.writeheader()

    def __enter__(self) -> "SongTable":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, outcome: Outcome, machine: str) -> None:
        """Write how a song has ended.

        Raises:
            UnwritableResults: The disk is full.
        """
        if self._path is not None:
            with self._named():
                self._writer.writerow(_describe(outcome) | {"machine": machine})

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnwritableResults(
                f"{self._path}: cannot be written ({error.strerror})", "Choose another file."
            ) from error


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
