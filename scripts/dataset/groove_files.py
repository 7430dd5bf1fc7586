"""The library of MMA (Musical MIDI Accompaniment): which grooves it has, and their styles."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from scripts.dataset.styles import STYLES, Style

MMA_LIBRARY = Path("/usr/share/mma/lib")
_SKIPPED = re.compile(
    r"metronome|/none|zoom/(count|ending|intro|mide|bald34|thr)|ambient|techno|rave|march|polka"
)
_STYLE_WORDS = (
    ("bossa", "bossa"),
    ("samba", "bossa"),
    ("salsa", "latin"),
    ("mambo", "latin"),
    ("cha", "latin"),
    ("rhumba", "latin"),
    ("latin", "latin"),
    ("cuban", "latin"),
    ("shuffle", "shuffle"),
    ("blues", "shuffle"),
    ("boogie", "shuffle"),
    ("swing", "swing"),
    ("jazz", "swing"),
    ("bebop", "swing"),
    ("foxtrot", "swing"),
    ("dixie", "swing"),
    ("funk", "funk"),
    ("soul", "funk"),
    ("reggae", "reggae"),
    ("ska", "reggae"),
    ("disco", "disco"),
    ("house", "house"),
    ("dance", "house"),
    ("metal", "metal"),
    ("punk", "metal"),
    ("mtl", "metal"),
    ("hrk", "metal"),
    ("ballad", "ballad"),
    ("slow", "ballad"),
    ("country", "country"),
    ("cntry", "country"),
    ("grass", "country"),
    ("western", "country"),
    ("folk", "folk"),
    ("rock", "rock"),
    ("hip", "breakbeat"),
    ("trip", "breakbeat"),
    ("dnb", "breakbeat"),
    ("8beat", "pop"),
    ("16beat", "pop"),
)
"""Words in a name of a file, and the style that they say; the first that is found counts."""


@dataclass(frozen=True)
class GrooveFile:
    """A file of the MMA library: its name without suffix, its meter and its grooves."""

    name: str
    meter: str
    grooves: tuple[str, ...]


@cache
def groove_files() -> tuple[GrooveFile, ...]:
    """All files of MMA's library in 4/4, 3/4 or 6/8 that define grooves."""
    files = []
    for path in sorted(MMA_LIBRARY.glob("*/*.mma")):
        name = path.relative_to(MMA_LIBRARY).with_suffix("").as_posix()
        text = path.read_text(encoding="latin-1")
        beats = re.search(r"^\s*time\s+(\d+)", text, re.IGNORECASE | re.MULTILINE)
        meter = {"4": "4/4", "3": "3/4", "6": "6/8"}.get(beats.group(1) if beats else "4")
        grooves = re.findall(r"^\s*defgroove\s+(\S+)", text, re.IGNORECASE | re.MULTILINE)
        if meter and grooves and not _SKIPPED.search(name):
            files.append(GrooveFile(name, meter, tuple(grooves)))
    return tuple(files)


def choose_file(rng: Random) -> GrooveFile:
    """Library files alike, but those that only have drums (zoom) half as often."""
    files = groove_files()
    file = rng.choice(files)
    return rng.choice(files) if file.name.startswith("zoom/") and rng.random() < 0.5 else file


def find_style(file: GrooveFile) -> Style:
    """The style that the name of a file says."""
    return STYLES[name_style(file.name, file.meter)]


def name_style(name: str, meter: str) -> str:
    """The name of the style that a file's name says, or of the composer's own style."""
    if name in STYLES:
        return name
    if meter != "4/4":
        return "waltz" if meter == "3/4" else "sixeight"
    return next((style for word, style in _STYLE_WORDS if word in name), "pop")
