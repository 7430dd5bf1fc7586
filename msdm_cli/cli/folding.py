"""Text that is folded where a path or a sentence allows it, and never in the middle of a name."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msdm_cli.jobs.remote.addresses import is_address, to_address

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.text import Text

PIECE = re.compile(r"[^/\\\s]+[/\\]*\s*|[/\\\s]+")
"""What stays on one line: up to a separator of paths, or a space."""

WHOLE = re.compile(r"(?:[^/\\,]|,(?!\s))+(?:[/\\]+\s*|,\s+)?|[/\\]+\s*|,\s+")
"""The same, but a name with spaces is in one piece: up to a separator of paths, or a comma."""

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
"""Characters that move the cursor, change colours, begin lines, turn text around, or cannot be
encoded."""

ELLIPSIS = "…"


def escape(text: str) -> str:
    """Text from files, tags and paths, safe for a terminal, on one line."""
    return UNSAFE.sub(lambda match: ascii(match.group())[1:-1], text)


def measure_cells(text: str) -> int:
    """Width of a line on a terminal, where some characters are two cells wide."""
    from rich.cells import cell_len

    return cell_len(text)


class Folded:
    """Text for a cell of a table, as a rich renderable.

    Args:
        text: Its lines.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        from rich.text import Text

        for line in fold(self.text, options.max_width):
            yield Text(line, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: "Console", options: "ConsoleOptions") -> "Measurement":
        from rich.measure import Measurement

        longest = max(map(measure_cells, self.text.splitlines()), default=0)
        return Measurement(self.narrowest, max(longest, self.narrowest))

    @property
    def narrowest(self) -> int:
        """Width of the longest piece, in cells."""
        return max((measure_cells(piece.rstrip()) for piece in PIECE.findall(self.text)), default=0)


def fold(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` cells; a piece that is longer has a line of its own.

    A line ends after a separator of paths or a comma. It ends at another space only where the text
    up to the next separator is too long for a line.
    """
    lines = []
    for paragraph in text.splitlines():
        line = ""
        for piece in _split(paragraph, width):
            if line and measure_cells(line + piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines.append(line.rstrip())
    return lines


def _split(paragraph: str, width: int) -> Iterator[str]:
    """The pieces of a line, which is folded between them alone."""
    for whole in WHOLE.findall(paragraph):
        if measure_cells(whole.rstrip()) <= width:
            yield whole
        else:
            yield from PIECE.findall(whole)


def shorten(name: str, width: int) -> str:
    """A name of at most ``width`` characters."""
    return name if len(name) <= width else name[: max(width - 1, 0)] + ELLIPSIS


def shorten_names(names: Sequence[str]) -> dict[str, str]:
    """The shortest end of each path that no other one has; names that are no paths stay."""
    ends = {name: _list_ends(name) for name in names}
    # Counted once, since a batch may have 100 000 songs.
    counts = Counter(end for found in ends.values() for end in found)
    return {
        name: next((end for end in found if counts[end] == 1), name) for name, found in ends.items()
    }


def _list_ends(name: str) -> list[str]:
    """What a path ends in, from its last part to all of it."""
    parts = Path(name).parts
    ends = [str(Path(*parts[-count:])) for count in range(1, len(parts) + 1)]
    return list(dict.fromkeys([*ends, name]))


class Lines(str):
    """Several lines, each safe for a terminal; other text is one line, whatever is in it."""

    __slots__ = ()


def list_files(paths: Iterable[Path]) -> Lines:
    """Paths for people: each folder, and on the next line the names of the files in it."""
    folders: dict[Path, list[str]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path.name)
    lines = []
    for folder, names in folders.items():
        # A name may have line breaks itself.
        if len(names) == 1:
            lines.append(escape(to_address(folder / names[0])))
        else:
            end = "/" if is_address(folder) else os.sep
            lines += [escape(to_address(folder)) + end, ", ".join(map(escape, names))]
    return Lines("\n".join(lines))
