"""Tables of scores in CSV files that can be gone on with: a row is a frozen dataclass of str, int, float and bool."""

import csv
import dataclasses
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from msdm_cli.errors import UnsuitableAudio, UnwritableAudio

Row = TypeVar("Row")

READERS: dict[type, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: lambda text: text == "True",
}


def save_table(path: Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Write a table, never half.

    Raises:
        UnwritableAudio: It cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_columns(kind))
            writer.writerows([getattr(row, name) for name in _columns(kind)] for row in rows)
        temporary.replace(path)
    except OSError as error:
        raise UnwritableAudio(
            f"{path}: {error.strerror}", "Choose another place for the scores."
        ) from error


def load_table(path: Path, kind: type[Row]) -> list[Row]:
    """Read a table; nothing if there is none.

    Raises:
        UnsuitableAudio: It is not such a table.
    """
    if not path.exists():
        return []
    columns = _columns(kind)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                kind(**{name: read(row[name]) for name, read in columns.items()})
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UnsuitableAudio(
            f"{path}: not a table of scores ({error})", "Name another file with --scores."
        ) from error


def _columns(kind: type[Any]) -> dict[str, Callable[[str], Any]]:
    types = typing.get_type_hints(kind)
    return {field.name: READERS[types[field.name]] for field in dataclasses.fields(kind)}
