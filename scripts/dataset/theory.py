"""Chords, scales and chord progressions."""

from dataclasses import dataclass
from random import Random

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "M7": (0, 4, 7, 11),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "9": (0, 4, 7, 10, 14),
    "m9": (0, 3, 7, 10, 14),
    "M9": (0, 4, 7, 11, 14),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "7sus4": (0, 5, 7, 10),
}
SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "blues": (0, 3, 5, 6, 7, 10),
}
NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
COLOURS: dict[str, tuple[str, ...]] = {
    "": ("M7", "6", "sus2", "sus4", "M9"),
    "m": ("m7", "m9", "m6"),
    "7": ("9", "7sus4"),
    "m7": ("m9",),
    "M7": ("M9", "6"),
}
# One token a bar: semitones above the tonic, then ":quality" unless it is a major triad.
PROGRESSIONS: dict[str, tuple[str, ...]] = {
    "major": (
        "0 7 9:m 5",
        "0 9:m 5 7",
        "9:m 5 0 7",
        "0 5 7 5",
        "0 4:m 5 7",
        "5 7 0 9:m",
        "0 0 5 7",
        "2:m 7 0 0",
        "0 2:m 5 7",
        "0 7 9:m 4:m 5 0 5 7",
        "5 5:m 0 0",
        "0 3 5 8",
        "0 5 9:m 7",
        "9:m 7 5 7",
        "0 4:7 9:m 5",
        "0 2:7 5 0",
        "5 0 7 9:m",
        "4:m 9:m 2:m 7",
        "0 0 9:m 9:m 5 5 7 7",
        "0 7 2:m 5",
        "5 4:m 2:m 0",
        "0 10 5 7",
    ),
    "minor": (
        "0:m 8 3 10",
        "0:m 10 8 7",
        "0:m 5:m 7 0:m",
        "0:m 3 10 5",
        "0:m 8 10 0:m",
        "0:m 7:m 8 10",
        "0:m 0:m 5:m 7:7",
        "0:m 10 3 8",
        "8 10 0:m 0:m",
        "0:m 5:m 10 3",
        "0:m 2:dim 7:7 0:m",
        "0:m 0:m 8 8 5:m 5:m 7:7 7:7",
        "3 10 0:m 8",
        "0:m 3 8 7:7",
        "5:m 8 0:m 10",
    ),
    "dorian": ("0:m7 5:7", "0:m 2:m 3 5", "0:m 10 5 0:m", "0:m7 0:m7 5:9 5:9", "0:m 5 10 0:m"),
    "mixolydian": ("0 10 5 0", "0 5:m 10 0", "0 0 10 5", "0 10 0 10", "0 7:m 5 10"),
    "phrygian": ("0:m 1 0:m 10:m", "0:m 0:m 1 3", "0:m 1 3 1"),
    "lydian": ("0 2 0 2", "0 2 7 0", "0 0 2 11:m"),
    "blues": (
        "0:7 5:7 0:7 0:7 5:7 5:7 0:7 0:7 7:7 5:7 0:7 7:7",
        "0:7 0:7 0:7 0:7 5:7 5:7 0:7 0:7 7:7 5:7 0:7 0:7",
        "0:m7 0:m7 0:m7 0:m7 5:m7 5:m7 0:m7 0:m7 8:7 7:7 0:m7 7:7",
    ),
    "jazz": (
        "2:m7 7:7 0:M7 9:7",
        "0:M7 9:m7 2:m7 7:7",
        "2:m7 7:7 0:M7 0:M7",
        "0:M7 2:m7 4:m7 9:7 2:m7 7:7 0:6 7:7",
        "2:m7b5 7:7 0:m7 0:m7",
        "5:M7 5:m6 4:m7 9:7 2:m7 7:7 0:M7 0:M7",
        "0:M7 1:dim7 2:m7 7:7",
        "9:m7 2:7 7:M7 0:M7",
        "0:m7 5:7 10:M7 3:M7 9:m7b5 2:7 7:m7 7:m7",
        "0:M7 3:7 8:M7 1:7",
    ),
}
FAMILIES_BY_MODE = ("major", "minor", "dorian", "mixolydian", "phrygian", "lydian")


@dataclass(frozen=True)
class Chord:
    """A chord: pitch class of its root (0 is C) and a key of QUALITIES."""

    root: int
    quality: str

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes from the root upwards."""
        return tuple((self.root + interval) % 12 for interval in QUALITIES[self.quality])

    @property
    def name(self) -> str:
        """The chord's name as MMA reads it, for example `Ebm7`."""
        return NAMES[self.root] + self.quality


def progression(rng: Random, family: str, tonic: int, colour: float) -> list[Chord]:
    """One chord a bar, drawn from a family.

    `colour` is the share of chords that get sevenths, sixths and ninths.
    """
    if family in ("major", "minor") and rng.random() < 0.2:
        tokens = _wander(rng, family)
    else:
        tokens = rng.choice(PROGRESSIONS[family]).split()
    chords = []
    for token in tokens:
        degree, _, quality = token.partition(":")
        if quality in COLOURS and rng.random() < colour:
            quality = rng.choice(COLOURS[quality])
        chords.append(Chord((tonic + int(degree)) % 12, quality))
    return chords


def _wander(rng: Random, family: str) -> list[str]:
    """4 or 8 diatonic triads in random order, which start on the tonic half of the time."""
    diatonic = (
        ["0", "2:m", "4:m", "5", "7", "9:m"]
        if family == "major"
        else ["0:m", "3", "5:m", "7:m", "8", "10"]
    )
    tokens = [diatonic[0]] if rng.random() < 0.5 else [rng.choice(diatonic)]
    while len(tokens) < rng.choice((4, 8)):
        tokens.append(rng.choice([token for token in diatonic if token != tokens[-1]]))
    return tokens


def nearest_pitch(pitch_class: int, target: float) -> int:
    """The MIDI pitch of a pitch class that lies nearest to a target pitch."""
    base = round(target)
    offset = (pitch_class - base + 6) % 12 - 6
    return base + offset


def voicing(chord: Chord, low: int, count: int) -> list[int]:
    """A close voicing: the first `count` chord tones at or above the pitch `low`."""
    pitches: list[int] = []
    pitch = low
    while len(pitches) < count:
        if pitch % 12 in chord.tones:
            pitches.append(pitch)
        pitch += 1
    return pitches


def scale_pitches(tonic: int, mode: str, low: int, high: int) -> list[int]:
    """All pitches of a scale from `low` to `high`, both included."""
    return [pitch for pitch in range(low, high + 1) if (pitch - tonic) % 12 in SCALES[mode]]
