"""Tables of scores in CSV files, which a later evaluation reads and extends."""

import csv
import dataclasses
import io
import typing
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Generic

from msdm_cli.errors import UnreadableTable, UnwritableResults
from msdm_cli.evaluation.metrics.metric import Metric, RowT
from msdm_cli.temporary import write_whole

READERS: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: {"True": True, "False": False}.__getitem__,
}


class ScoreTable(Generic[RowT]):
    """The scores of one metric, in a file of a folder.

    Args:
        metric: The metric.
        folder: Where its file is or will be.

    Attributes:
        rows: All scores.

    Raises:
        UnreadableTable: There is a file of that name, and it holds no such scores.
    """

    def __init__(self, metric: Metric[RowT], folder: Path) -> None:
        self.metric = metric
        self.path = folder / metric.table_name
        self.rows = load_rows(self.path, metric.row)

    def holds(self, song: str, method: str) -> bool:
        """Whether a song has scores of a method."""
        return any((row.song, row.method) == (song, method) for row in self.rows)

    def list_rows(self, songs: Collection[str]) -> list[RowT]:
        """The scores of some songs; the table may hold others, too."""
        return [row for row in self.rows if row.song in songs]

    def check_stems(self, stems: Collection[str]) -> None:
        """Refuse a table whose scores are of other stems.

        A score depends on what its stem was mixed with, so those of other mixtures do not compare.

        Args:
            stems: Names of all that is scored.

        Raises:
            UnreadableTable: Something in it was scored among other stems.
        """
        scored: dict[tuple[str, str], set[str]] = {}
        for row in self.rows:
            scored.setdefault((row.song, row.method), set()).add(row.stem)
        for (song, _), found in scored.items():
            if found != set(stems):
                raise UnreadableTable(
                    f"{self.path}: has scores of {song} for the stems {', '.join(sorted(found))}, "
                    f"which do not compare with those for {', '.join(sorted(stems))}",
                    "Move the file away, or choose another folder for the scores.",
                )

    def forget(self, song: str, method: str) -> None:
        """Remove the scores of a method for a song, from the file too.

        Raises:
            UnwritableResults: The file cannot be written.
        """
        kept = [row for row in self.rows if (row.song, row.method) != (song, method)]
        if len(kept) < len(self.rows):
            self.rows = kept
            self.save()

    def save(self) -> None:
        """Write all scores.

        Raises:
            UnwritableResults: The file cannot be written.
        """
        save_rows(self.path, self.metric.row, self.rows)


def save_rows(path: Path, kind: type[RowT], rows: Iterable[RowT]) -> None:
    """Write a table. A reader sees the table of before or the new one, never a part of it.

    Raises:
        UnwritableResults: It cannot be written.
    """
    names = list(_readers(kind))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.getvalue().encode())
    except OSError as error:
        raise UnwritableResults(
            f"{path}: cannot be written ({error.strerror})", "Choose another folder for the scores."
        ) from error


def load_rows(path: Path, kind: type[RowT]) -> list[RowT]:
    """Read a table; without a file, there are no rows.

    Raises:
        UnreadableTable: The file holds no such rows.
    """
    if not path.exists():
        return []
    readers = _readers(kind)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                kind(**{name: read(row[name]) for name, read in readers.items()})
                for row in csv.DictReader(file)
            ]
    except (OSError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise UnreadableTable(
            f"{path}: is not a table of scores ({error})",
            "Move the file away, or choose another folder for the scores.",
        ) from error


def _readers(kind: type[Any]) -> dict[str, Callable[[str], Any]]:
    """How each field of a row is read from text, in the order of the columns."""
    types = typing.get_type_hints(kind)
    return {field.name: READERS[types[field.name]] for field in dataclasses.fields(kind)}
