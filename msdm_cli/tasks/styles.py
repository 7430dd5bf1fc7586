"""The styles that a model with controls knows, and what is usual in them."""

from dataclasses import dataclass

BRIGHT = ("major",)
DARK = ("minor",)
BOTH = ("major", "minor")


@dataclass(frozen=True)
class Style:
    """What is usual in a style.

    Attributes:
        tempos: Slowest and fastest tempo, in quarter notes a minute.
        modes: Modes of its keys.
        meter: 4/4, 3/4 or 6/8.
    """

    tempos: tuple[int, int]
    modes: tuple[str, ...] = BOTH
    meter: str = "4/4"


STYLES = {
    "ballad": Style((60, 88)),
    "bossa": Style((100, 150)),
    "breakbeat": Style((90, 176), DARK),
    "country": Style((90, 170), BRIGHT),
    "disco": Style((105, 132)),
    "folk": Style((75, 140)),
    "funk": Style((85, 122), DARK),
    "halftime": Style((120, 170), DARK),
    "house": Style((116, 130), DARK),
    "latin": Style((90, 130)),
    "metal": Style((110, 180), DARK),
    "pop": Style((80, 135)),
    "reggae": Style((66, 96)),
    "rock": Style((95, 165)),
    "shuffle": Style((85, 150), BRIGHT),
    "sixeight": Style((60, 110), meter="6/8"),
    "swing": Style((100, 180), BRIGHT),
    "waltz": Style((80, 176), meter="3/4"),
}
"""Styles in the order of the network's inputs."""
