"""Pairs of songs with the same notes: timbre tells who is who in them, not what is played.

Of every ten songs, one has the notes of the song before it on other instruments, and one has the
notes of the song before it with guitar and piano in each other's roles.
"""

from dataclasses import replace

from scripts.dataset.score import Part, Song, without_overlaps

GUITAR_RANGE = (40, 86)

PERIOD = 10
REPEATED = 4
CROSSED = 9


def find_source(seed: str) -> str:
    """The seed of the song whose notes a song has: the song before it, or itself.

    Args:
        seed: Ends with "/" and the index of the song.
    """
    before, _, index = seed.rpartition("/")
    return f"{before}/{int(index) - 1}" if int(index) % PERIOD in (REPEATED, CROSSED) else seed


def is_crossed(seed: str) -> bool:
    """Whether guitar and piano have each other's roles in a song."""
    return int(seed.rpartition("/")[2]) % PERIOD == CROSSED


def cross_roles(song: Song) -> Song:
    """The song, with guitar and piano in each other's roles."""
    return replace(song, parts=_cross(song.parts), second_parts=_cross(song.second_parts))


def _cross(parts: dict[str, Part]) -> dict[str, Part]:
    """The parts, those of guitar and piano each played by the other."""
    others = {"guitar": "piano", "piano": "guitar"}
    crossed = {stem: fit(parts[other], stem) for stem, other in others.items() if other in parts}
    return {stem: part for stem, part in parts.items() if stem not in others} | crossed


def fit(part: Part, stem: str) -> Part:
    """A part as guitar or piano can play it, if it was written for the other."""
    if stem == "piano":
        # Pianos do not bend.
        return replace(part, bends=[])
    notes = [replace(note, pitch=_move_into_range(note.pitch)) for note in part.notes]
    return replace(part, notes=without_overlaps(notes))


def _move_into_range(pitch: int) -> int:
    """A pitch, moved by octaves into the range of a guitar."""
    low, high = GUITAR_RANGE
    if pitch < low:
        return low + (pitch - low) % 12
    return pitch if pitch <= high else high - (high - pitch) % 12
