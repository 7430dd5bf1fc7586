"""Gives guitar and piano each other's roles: timbre tells who is who then, not what is played."""

from dataclasses import replace

from scripts.dataset.score import Song, without_overlaps

GUITAR_RANGE = (40, 86)

SONGS = 3
"""Every so many songs, one has the notes of the song before it, with crossed roles."""


def find_pair(seed: str) -> str | None:
    """The seed of the song whose notes a song has in crossed roles, if it is such a song.

    Args:
        seed: Ends with "/" and the index of the song.
    """
    before, _, index = seed.rpartition("/")
    return f"{before}/{int(index) - 1}" if int(index) % SONGS == SONGS - 1 else None


def cross_roles(song: Song) -> Song:
    """The song, with guitar and piano in each other's roles."""
    old_guitar = song.parts["guitar"]
    old_piano = song.parts["piano"]
    notes = [replace(note, pitch=_move_into_range(note.pitch)) for note in old_piano.notes]
    crossed = {
        "guitar": replace(old_piano, notes=without_overlaps(notes)),
        # Pianos do not bend.
        "piano": replace(old_guitar, bends=[]),
    }
    return replace(song, parts={**song.parts, **crossed})


def _move_into_range(pitch: int) -> int:
    """A pitch, moved by octaves into the range of a guitar."""
    low, high = GUITAR_RANGE
    if pitch < low:
        return low + (pitch - low) % 12
    return pitch if pitch <= high else high - (high - pitch) % 12
