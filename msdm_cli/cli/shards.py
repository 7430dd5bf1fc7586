"""``--shard 3/40``: a share of the songs, for machines that know nothing of each other.

A song's share depends on its path alone. So no song is lost or separated twice if the folder
changes while some machines have not begun, as when results appear in it.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from typing import Annotated

import typer

from msdm_cli.cli.options import MACHINES

SHARD = re.compile(r"(\d+)/(\d+)", re.ASCII)
MOST_SHARDS = 1_000_000


@dataclass(frozen=True)
class Shard:
    """A share of the songs.

    Attributes:
        number: Which one, from 1 on.
        count: How many there are.
    """

    number: int
    count: int

    def holds(self, path: str) -> bool:
        """Whether a song belongs to this share."""
        digest = hashlib.sha256(os.fsencode(path)).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


def parse_shard(text: str) -> Shard:
    """The share that a text such as ``3/40`` names.

    Raises:
        BadParameter: It names none.
    """
    found = SHARD.fullmatch(text.strip())
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count <= MOST_SHARDS:
        raise typer.BadParameter(f"{text} is no share: write 1/40 to 40/40")
    return Shard(number, count)


ShardOption = Annotated[
    Shard | None,
    typer.Option(
        "--shard",
        metavar="N/COUNT",
        parser=parse_shard,
        rich_help_panel=MACHINES,
        help="Only this share of the songs: 3/40 on the third of 40 machines.",
    ),
]
