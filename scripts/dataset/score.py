"""What a composer writes and a renderer reads: notes in seconds, one part per stem."""

from dataclasses import dataclass, field

from scripts.songs import SAMPLE_RATE_HZ, STEMS

__all__ = ["SAMPLE_RATE_HZ", "STEMS", "Note", "Part", "Song", "without_overlaps"]


@dataclass(frozen=True)
class Note:
    """One note: start and duration in seconds, MIDI pitch, MIDI velocity (1 to 127)."""

    start_seconds: float
    duration_seconds: float
    pitch: int
    velocity: int


@dataclass
class Part:
    """The notes of one stem.

    Attributes:
        notes: By their start.
        bends: Pitch bends as (seconds, semitones).
        pedals: Sustain pedal as (seconds, down).
        kinds: What kinds of part a composer has written.
    """

    notes: list[Note] = field(default_factory=list)
    bends: list[tuple[float, float]] = field(default_factory=list)
    pedals: list[tuple[float, bool]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


@dataclass
class Song:
    """A composed song: its parts by stem name, its length in seconds, and how it came about.

    A stem with a second part plays that at the same time, on another instrument.
    """

    parts: dict[str, Part]
    duration_seconds: float
    source: str
    style: str
    tempo: float
    key: str
    meter: str
    second_parts: dict[str, Part] = field(default_factory=dict)


def without_overlaps(notes: list[Note]) -> list[Note]:
    """The notes by start; one that still sounds when its pitch is struck again is cut short."""
    result: list[Note] = []
    last: dict[int, int] = {}
    for note in sorted(notes, key=lambda n: (n.start_seconds, n.pitch, -n.velocity)):
        index = last.get(note.pitch)
        if index is not None:
            before = result[index]
            gap = note.start_seconds - before.start_seconds
            if gap < 0.02:
                continue
            if before.duration_seconds > gap - 0.005:
                result[index] = Note(
                    before.start_seconds, gap - 0.005, before.pitch, before.velocity
                )
        last[note.pitch] = len(result)
        result.append(note)
    return result
