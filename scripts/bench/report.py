"""The document that a bench writes: a sentence and tables in Markdown, printed as they come."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.backends.versions import find_versions

OutputOption = Annotated[Path | None, typer.Option(help="Write the report to this file too.")]


def describe_machine() -> str:
    """Processor, number of cores, and versions of what runs networks."""
    torch = find_versions("torch")["torch"]
    versions = [f"torch {torch}", f"ONNX Runtime {find_versions('onnx')['onnxruntime']}"]
    return ", ".join([cpu_name(), f"{os.cpu_count()} cores", *versions])


def cpu_name() -> str:
    """What the processor calls itself, where the system says so."""
    source = Path("/proc/cpuinfo")
    lines = source.read_text().splitlines() if source.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


class Report:
    """Markdown that is printed line by line, and saved at the end.

    Args:
        header: What was measured, and by which command: the first lines of the document.
    """

    def __init__(self, *header: str) -> None:
        self.lines: list[str] = []
        self.write(*header)

    def write(self, *lines: str) -> None:
        """Add a paragraph."""
        if self.lines:
            self._add("")
        for line in lines:
            self._add(line)

    def begin_table(self, *columns: str) -> None:
        """Add the head of a table, whose rows follow one by one."""
        self.write(f"| {' | '.join(columns)} |", "|" + "---|" * len(columns))

    def row(self, *cells: object) -> None:
        """Add a row to the table that was begun last."""
        self._add(f"| {' | '.join(str(cell) for cell in cells)} |")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a whole table."""
        self.begin_table(*columns)
        for cells in rows:
            self.row(*cells)

    def save(self, path: Path | None) -> None:
        """Write the document, unless there is no path."""
        if path:
            path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    def append(self, path: Path | None) -> None:
        """Add the document to the end of a file, unless there is no path."""
        if path:
            with path.open("a", encoding="utf-8") as file:
                file.write("\n".join(self.lines) + "\n\n")

    def _add(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)
