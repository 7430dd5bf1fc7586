"""Reads a MIDI file, and sorts its tracks into stems."""

import mido

from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.score import STEMS, Note, without_overlaps

COMPASSES = {"guitar": (38, 88), "piano": (24, 104), "bass": (26, 58)}
"""Lowest and highest pitch of a stem; notes outside move by octaves."""


def list_tracks(midi: mido.MidiFile) -> dict[int, tuple[str, int, list[Note]]]:
    """Channel -> (track name, most used program, notes in seconds)."""
    names = {
        message.channel: track.name.lower()
        for track in midi.tracks
        for message in track
        if message.type == "note_on"
    }
    programs = dict.fromkeys(range(16), 0)
    counts: dict[int, dict[int, int]] = {}
    open_notes: dict[tuple[int, int], tuple[float, int]] = {}
    notes: dict[int, list[Note]] = {}
    now = 0.0

    def close(channel: int, pitch: int) -> None:
        if (channel, pitch) in open_notes:
            start, velocity = open_notes.pop((channel, pitch))
            note = Note(start + LEAD_IN_SECONDS, max(0.03, now - start), pitch, velocity)
            notes.setdefault(channel, []).append(note)

    for message in midi:
        now += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            # Strummed guitars of MMA strike strings that still sound, without an end between.
            close(message.channel, message.note)
            open_notes[message.channel, message.note] = (now, message.velocity)
            tally = counts.setdefault(message.channel, {})
            tally[programs[message.channel]] = tally.get(programs[message.channel], 0) + 1
        elif message.type in ("note_on", "note_off"):
            close(message.channel, message.note)
    most_used = {channel: max(tally, key=tally.__getitem__) for channel, tally in counts.items()}
    return {
        channel: (names.get(channel, ""), most_used[channel], found)
        for channel, found in notes.items()
    }


def assign_stems(tracks: dict[int, tuple[str, int, list[Note]]]) -> dict[str, list[list[Note]]]:
    """By stem, the notes of each of its instruments (General MIDI programs), most notes first.

    Parts that belong to no stem go to the guitar or the piano, if that is empty.
    """
    stems: dict[str, dict[int, list[Note]]] = {stem: {} for stem in STEMS}
    homeless = []
    # Some files call brass and guitars "bass" too, if they play low lines.
    named = not any(_is_bass(program) for _, program, _ in tracks.values())
    for channel, (name, program, notes) in sorted(tracks.items()):
        owner = _owner(channel, name if named else "", program)
        if owner:
            stems[owner].setdefault(program, []).extend(notes)
        else:
            homeless.append((name, program, notes))
    for name, program, notes in homeless:
        first = "guitar" if "arp" in name or "scale" in name or "solo" in name else "piano"
        second = "piano" if first == "guitar" else "guitar"
        stem = next((stem for stem in (first, second) if not stems[stem]), None)
        if stem:
            stems[stem][program] = notes
    return {
        stem: [_arranged(notes, stem) for notes in sorted(instruments.values(), key=len)[::-1]]
        for stem, instruments in stems.items()
    }


def _arranged(notes: list[Note], stem: str) -> list[Note]:
    """The notes of an instrument in the compass of its stem, without overlaps."""
    low, high = COMPASSES.get(stem, (0, 127))
    return without_overlaps([_in_compass(note, low, high) for note in notes])


def _is_bass(program: int) -> bool:
    return 32 <= program <= 39


def _owner(channel: int, name: str, program: int) -> str | None:
    """The stem of a track, by General MIDI; None for instruments that belong to none."""
    if channel == 9:
        return "drums"
    if _is_bass(program) or name.startswith(("bass", "walk")):
        return "bass"
    if 24 <= program <= 31:
        return "guitar"
    return "piano" if program <= 7 else None


def _in_compass(note: Note, low: int, high: int) -> Note:
    pitch = note.pitch
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return Note(note.start_seconds, note.duration_seconds, pitch, note.velocity)
