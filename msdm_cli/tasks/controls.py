"""What a person asks of new music: tempo, key, style, and which stems play.

The prior over sketches is told these in every token; what is not asked for is left to it. Beats are
told as phases, so that a bar of any tempo looks the same to the network.
"""

import dataclasses
import math
import re
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.representations.sketch import SAMPLE_RATE_HZ
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES
from msdm_cli.tasks.styles import STYLES

NOTES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
SHARPS = {"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb"}
MINOR_MODES = ("minor", "dorian", "phrygian")
MAJOR_MODES = ("major", "mixolydian", "lydian")
SHORT_MODES = {"": "major", "m": "minor", "M": "major", "min": "minor", "maj": "major"}

BEATS_PER_BAR = {"4/4": 4, "3/4": 3, "6/8": 2}
BEAT_QUARTERS = {"4/4": 1.0, "3/4": 1.0, "6/8": 1.5}
"""Quarter notes of a beat."""

TOKEN_SECONDS = TOKEN_SAMPLES / SAMPLE_RATE_HZ

LEAD_IN_SECONDS = 0.03
"""Time of the first beat of new music, so that the attack of its first note is not cut."""

ASKED_TO_PLAY = 0.5
"""Share of pieces in which a stem is asked to play, where the seed decides."""

TEMPO_FEATURES = 10
KEY_FEATURES = 13


@dataclass(frozen=True)
class Controls:
    """What is asked for; None leaves it to the network.

    Attributes:
        tempo: Quarter notes a minute.
        meter: 4/4, 3/4 or 6/8; counts only with a tempo. A style that is asked for has its own, and
            4/4 leaves the meter to the style that a seed draws.
        first_beat: Time of the first beat of a bar, in seconds; counts only with a tempo. If it is
            None, it is at the beginning, in new music 0.03 s after it.
        key: A note and a mode, for example ``Eb minor``.
        style: One of ``STYLES``.
        playing: For each stem, whether it plays; None for one that may do either.
    """

    tempo: float | None = None
    meter: str = "4/4"
    first_beat: float | None = None
    key: str | None = None
    style: str | None = None
    playing: tuple[bool | None, ...] = ()

    def __post_init__(self) -> None:
        if self.meter not in BEATS_PER_BAR:
            raise ValueError(f"expected a meter of {', '.join(BEATS_PER_BAR)}, got {self.meter}")
        if self.tempo is not None and not 20 <= self.tempo <= 400:
            raise ValueError(f"expected a tempo from 20 to 400, got {self.tempo:g}")
        if self.first_beat is not None and not math.isfinite(self.first_beat):
            raise ValueError(f"expected the time of a first beat, got {self.first_beat}")
        if self.style is not None and self.style not in STYLES:
            raise ValueError(f"expected a style of {', '.join(STYLES)}, got {self.style}")
        if self.key is not None:
            read_key(self.key)
        object.__setattr__(self, "playing", tuple(self.playing))
        for plays in self.playing:
            # A name would count as True, for the stem at its place.
            if plays not in (True, False, None):
                raise ValueError(f"expected True, False or None for each stem, got {plays!r}")

    @property
    def beat_seconds(self) -> float:
        """Length of a beat."""
        assert self.tempo is not None
        return 60.0 / self.tempo * BEAT_QUARTERS[self.meter]

    @property
    def bar_seconds(self) -> float:
        """Length of a bar."""
        return self.beat_seconds * BEATS_PER_BAR[self.meter]

    @property
    def bar_quarters(self) -> int:
        """Length of a bar, in quarter notes."""
        return round(BEATS_PER_BAR[self.meter] * BEAT_QUARTERS[self.meter])

    @property
    def styled(self) -> "Controls":
        """The same in the meter of the style, if one is asked for."""
        if self.style is None:
            return self
        return dataclasses.replace(self, meter=STYLES[self.style].meter)

    def filled(self, seed: int, stems: int) -> "Controls":
        """The same, with what is not asked for drawn from a seed: tempo, key, style, who plays.

        Left to itself, the embedded model's piano rests in more than half of a piece. So each stem
        is asked to play in half of the pieces, and left free in the others.

        What is asked for does not change what is drawn for the rest, as far as they go together:
        a tempo and a meter leave only the styles in which they are usual, and a style has tempos
        and modes of its own.
        """
        rng = Random(f"controls {seed}")
        drawn = rng.choice(list(STYLES))
        pace = rng.random()
        note = rng.choice(NOTES)
        mode = rng.choice(STYLES[drawn].modes)
        playing = tuple(rng.random() < ASKED_TO_PLAY or None for _ in range(stems))
        name = self.style or self._choose_style(drawn, seed)
        style = STYLES[name]
        slowest, fastest = style.tempos
        if mode not in style.modes:
            mode = Random(f"mode {seed}").choice(style.modes)
        return dataclasses.replace(
            self,
            tempo=self.tempo or round(slowest + (fastest - slowest) * pace),
            meter=style.meter,
            first_beat=LEAD_IN_SECONDS if self.first_beat is None else self.first_beat,
            key=self.key or f"{note} {mode}",
            style=name,
            playing=self.playing or playing,
        )

    def _choose_style(self, drawn: str, seed: int) -> str:
        """The style that a seed has drawn, or another one if what is asked for is unusual in it."""
        usual = [
            name
            for name, style in STYLES.items()
            if self.meter in ("4/4", style.meter)
            and (self.tempo is None or style.tempos[0] <= self.tempo <= style.tempos[1])
        ]
        alike = [name for name, style in STYLES.items() if style.meter == self.meter]
        return drawn if drawn in usual else Random(f"style {seed}").choice(usual or alike)

    @property
    def start(self) -> float:
        """Time of the first beat of a bar."""
        return self.first_beat or 0.0

    def delayed(self, seconds: float) -> "Controls":
        """The same for music that begins later."""
        return dataclasses.replace(self, first_beat=self.start + seconds)

    def transposed(self, semitones: int) -> "Controls":
        """The same in another key."""
        if self.key is None:
            return self
        tonic, mode = self.key.split()
        note = NOTES[(NOTES.index(SHARPS.get(tonic, tonic)) + semitones) % 12]
        return dataclasses.replace(self, key=f"{note} {mode}")

    def describe(self, first: float, tokens: int, stems: int) -> NDArray[np.float32]:
        """What the network is told of consecutive tokens.

        Args:
            first: Index of the first token in the piece.
            tokens: Number of tokens.
            stems: Number of stems.

        Shape:
            ``-> [tokens, count_features(stems)]``
        """
        told = np.zeros((tokens, count_features(stems)), np.float32)
        if self.tempo is not None:
            middles = (first + np.arange(tokens) + 0.5) * TOKEN_SECONDS - self.start
            told[:, :TEMPO_FEATURES] = self._describe_beats(middles)
        start = TEMPO_FEATURES
        if self.key is not None:
            tonic, minor = read_key(self.key)
            told[:, start + tonic] = 1
            told[:, start + 12] = 1 if minor else -1
        start += KEY_FEATURES
        if self.style is not None:
            told[:, start + list(STYLES).index(self.style)] = 1
        start += len(STYLES)
        for stem, plays in enumerate(self.playing):
            if plays is not None:
                told[:, start + stem] = 1 if plays else -1
        return told

    def _describe_beats(self, seconds: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Whether there is a tempo, the tempo, and phases of bar and beat at some times."""
        assert self.tempo is not None
        columns = [np.ones_like(seconds), np.full_like(seconds, math.log2(self.tempo / 120))]
        for period in (
            self.bar_seconds,
            self.beat_seconds,
            self.beat_seconds / 2,
            self.beat_seconds / 4,
        ):
            angle = 2 * np.pi * seconds / period
            columns += [np.sin(angle), np.cos(angle)]
        return np.stack(columns, 1)


def count_features(stems: int) -> int:
    """How many numbers a token is told."""
    return TEMPO_FEATURES + KEY_FEATURES + len(STYLES) + stems


def parse_key(text: str) -> str:
    """A key as people write it, in full: ``F#m``, ``f# minor`` and ``Gb minor`` are one.

    Raises:
        ValueError: It is no key.
    """
    match = re.fullmatch(r"\s*([A-Ga-g])([#b]?)\s*([A-Za-z]*)\s*", text)
    if not match:
        raise ValueError(f"expected a key like C major or F#m, got {text}")
    letter, accidental, mode = match.groups()
    note = SHARPS.get(letter.upper() + accidental, letter.upper() + accidental)
    lower = mode.lower()
    key = f"{note} {SHORT_MODES.get(mode) or SHORT_MODES.get(lower, lower)}"
    read_key(key)
    return key


def read_key(key: str) -> tuple[int, bool]:
    """The pitch class of a key's tonic, 0 for C, and whether its third is minor.

    Raises:
        ValueError: It is no key.
    """
    note, _, mode = str(key).partition(" ")
    note = SHARPS.get(note, note)
    if note not in NOTES or mode not in (*MINOR_MODES, *MAJOR_MODES):
        raise ValueError(f"expected a key like C major or Eb minor, got {key}")
    return NOTES.index(note), mode in MINOR_MODES
