"""A file of notes.

Source: MIDI Manufacturers Association, Standard MIDI Files 1.0.
"""

import struct
from collections.abc import Iterable

from msdm_cli.midi.notes import Note

TICKS = 480
"""Of a quarter note."""
MARK = b"msdm"
"""A text at the beginning of our files."""
USUAL_TEMPO = 120.0
PROGRAMS = {"piano": 0, "guitar": 26, "bass": 33}
"""General MIDI's numbers, from 0; a piano plays the rest."""

TEXT, NAME, END, TEMPO = 0x01, 0x03, 0x2F, 0x51
NOTE_OFF, NOTE_ON, PROGRAM = 0x80, 0x90, 0xC0


def write_midi(notes: Iterable[Note], name: str, tempo: float = USUAL_TEMPO) -> bytes:
    """Notes as a file of one track.

    Args:
        notes: The notes.
        name: Of the stem.
        tempo: Quarter notes a minute.
    """
    per_second = TICKS * tempo / 60
    events: list[tuple[int, int, bytes]] = []
    for note in notes:
        velocity = max(1, min(127, round(127 * note.loudness)))
        on = round(note.start * per_second)
        off = max(on + 1, round(note.stop * per_second))
        events.append((on, 1, bytes((NOTE_ON, note.key, velocity))))
        events.append((off, 0, bytes((NOTE_OFF, note.key, 0))))
    microseconds = round(60e6 / tempo)
    track = [
        _meta(TEXT, MARK),
        _meta(NAME, name.encode(errors="replace")),
        _meta(TEMPO, microseconds.to_bytes(3, "big")),
        b"\0" + bytes((PROGRAM, PROGRAMS.get(name, 0))),
    ]
    now = 0
    # A note that ends is released before the next one at the same time.
    for tick, _, message in sorted(events):
        track.append(_encode(tick - now) + message)
        now = tick
    track.append(_meta(END, b""))
    content = b"".join(track)
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, TICKS)
    return header + struct.pack(">4sI", b"MTrk", len(content)) + content


def _meta(kind: int, content: bytes) -> bytes:
    return b"\0" + bytes((0xFF, kind)) + _encode(len(content)) + content


def _encode(number: int) -> bytes:
    """A number in groups of seven bits; all but the last have the highest bit set."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes(reversed(groups))
