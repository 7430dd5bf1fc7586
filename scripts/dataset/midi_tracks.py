"""Reads a MIDI file, and sorts its tracks into stems."""

from collections import Counter
from dataclasses import dataclass, replace

import mido

from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.playing import sustained
from scripts.dataset.score import STEMS, Note, Part, without_overlaps
from scripts.dataset.timbres import DRIVEN_PROGRAMS

COMPASSES = {"guitar": (38, 88), "piano": (24, 104), "bass": (26, 58)}
"""Lowest and highest pitch of a stem; notes outside move by octaves."""


VOLUME = 7
EXPRESSION = 11
"""Controllers whose product is the level of a channel; loudness goes by its square, as velocity."""

SOFTEST = 0.05
"""Level, relative to a channel's highest, below which its notes are left out: -52 dB."""

DISTORTED = "distorted"
"""Kind of a guitar part whose program is a distorted guitar."""


@dataclass(frozen=True)
class Track:
    """What a channel of a MIDI file plays.

    Attributes:
        name: Of the track in the file, in lower case.
        program: The General MIDI program that plays most of its notes.
        part: Its notes, pedal and pitch wheel, from ``LEAD_IN_SECONDS`` on.
    """

    name: str
    program: int
    part: Part


class _Channel:
    """Collects what a channel plays."""

    def __init__(self) -> None:
        self.part = Part()
        self.program = 0
        self.programs: Counter[int] = Counter()
        self._open: dict[int, tuple[float, int, float]] = {}
        self._controls = {VOLUME: 100, EXPRESSION: 127}
        self._levels: list[float] = []
        self._parameter = [127, 127]
        self._range_semitones = 2.0

    def receive(self, now: float, message: mido.Message) -> None:
        """Heed a message at a time in seconds."""
        if message.type == "program_change":
            self.program = message.program
        elif message.type == "note_on" and message.velocity:
            # Strummed guitars of MMA strike strings that still sound, without an end between.
            self._close(now, message.note)
            level = self._controls[VOLUME] * self._controls[EXPRESSION] / 127**2
            self._open[message.note] = (now, message.velocity, level)
            self.programs[self.program] += 1
        elif message.type in ("note_on", "note_off"):
            self._close(now, message.note)
        elif message.type == "pitchwheel":
            semitones = self._range_semitones * message.pitch / 8192
            self.part.bends.append((now, semitones))
        elif message.type == "control_change":
            self._control(now, message.control, message.value)

    def _close(self, now: float, pitch: int) -> None:
        if pitch in self._open:
            start, velocity, level = self._open.pop(pitch)
            self.part.notes.append(Note(start, max(0.03, now - start), pitch, velocity))
            self._levels.append(level)

    def finish(self) -> Part:
        """The part, softer where it is turned down; notes that are turned off are left out."""
        loudest = max(self._levels, default=0.0)
        notes = [
            replace(note, velocity=max(1, round(note.velocity * level / loudest)))
            for note, level in zip(self.part.notes, self._levels, strict=True)
            if level > SOFTEST * loudest
        ]
        return replace(self.part, notes=notes)

    def _control(self, now: float, control: int, value: int) -> None:
        """Heed pedal, volumes, and the range of the pitch wheel: registered parameter 0."""
        if control == 64:
            self.part.pedals.append((now, value >= 64))
        elif control in self._controls:
            self._controls[control] = value
        elif control in (100, 101):
            self._parameter[control - 100] = value
        elif control == 6 and self._parameter == [0, 0]:
            self._range_semitones = float(value)


def list_tracks(midi: mido.MidiFile) -> dict[int, Track]:
    """What each channel plays that has notes."""
    names = {
        message.channel: track.name.lower()
        for track in midi.tracks
        for message in track
        if message.type == "note_on"
    }
    channels = [_Channel() for _ in range(16)]
    now = LEAD_IN_SECONDS
    for message in midi:
        now += message.time
        if hasattr(message, "channel"):
            channels[message.channel].receive(now, message)
    parts = [channel.finish() for channel in channels]
    return {
        number: Track(names[number], channels[number].programs.most_common(1)[0][0], part)
        for number, part in enumerate(parts)
        if part.notes
    }


def assign_stems(tracks: dict[int, Track]) -> dict[str, list[Part]]:
    """By stem, the part of each of its instruments (General MIDI programs), most notes first.

    Parts that belong to no stem go to the guitar or the piano, if that is empty.
    """
    stems: dict[str, dict[int, Part]] = {stem: {} for stem in STEMS}
    homeless = []
    # Some files call brass and guitars "bass" too, if they play low lines.
    named = not any(_is_bass(track.program) for track in tracks.values())
    for channel, track in sorted(tracks.items()):
        owner = _owner(channel, track.name if named else "", track.program)
        if owner:
            found = stems[owner]
            before = found.get(track.program)
            found[track.program] = join(before, track.part) if before else track.part
        else:
            homeless.append(track)
    for track in homeless:
        lines = any(word in track.name for word in ("arp", "scale", "solo"))
        first, second = ("guitar", "piano") if lines else ("piano", "guitar")
        stem = next((stem for stem in (first, second) if not stems[stem]), None)
        if stem:
            stems[stem][track.program] = track.part
    return {
        stem: [
            _arranged(part, stem, program)
            for program, part in sorted(instruments.items(), key=lambda one: len(one[1].notes))[
                ::-1
            ]
        ]
        for stem, instruments in stems.items()
    }


def join(one: Part, other: Part) -> Part:
    """Two channels as one instrument.

    The pedal of one would hold the other's notes, so it is played into the notes of its own; the
    wheel of one would bend the other's, so both lose it.
    """
    return Part([*_held(one).notes, *_held(other).notes], kinds=one.kinds)


def _held(part: Part) -> Part:
    """The part with its notes as long as its pedal holds them."""
    last = max((note.start_seconds + note.duration_seconds for note in part.notes), default=0.0)
    return replace(sustained(part, last), pedals=[])


def _arranged(part: Part, stem: str, program: int) -> Part:
    """The part of an instrument in the compass of its stem, without overlaps."""
    low, high = COMPASSES.get(stem, (0, 127))
    notes = without_overlaps([_in_compass(note, low, high) for note in part.notes])
    # Pianos do not bend, and drums have no pedal.
    bends = part.bends if stem in ("bass", "guitar") else []
    kinds = [DISTORTED] if stem == "guitar" and program in DRIVEN_PROGRAMS else []
    return Part(notes, bends, [] if stem == "drums" else part.pedals, kinds)


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
