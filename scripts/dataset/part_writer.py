"""Writes the notes of a part as people play them, by bars and steps of a chart."""

from random import Random

from scripts.dataset.chart import Chart
from scripts.dataset.score import Note, Part

FINGER_SECONDS = (0.0, 0.0, 0.002, 0.003)
"""By how much the notes of a chord begin apart (standard deviation), one of these a player."""

STROKE_SECONDS = (0.004, 0.016)
"""By how much the notes of a strummed or rolled chord begin one after the other."""

STRUMMING = 0.5
"""How often a guitarist strums; the others play chords at once, as most that are sequenced do."""

ROLLING = 0.15
"""How often a player rolls all chords."""

RIGHT_HAND_ALONE = 0.5
"""How often a pianist leaves the low notes to the bass, as most that are written for bands do."""

SLOPES = (-2.0, 0.0, 0.0, 1.5)
"""By how much each note of a chord is struck harder than the one before it, one a player."""

DEPTHS = (0.0, 0.2, 0.5, 1.0)
"""Factor on accents and on how much louder intense sections are, one of these a player."""

EVEN_VELOCITY = 94.0
"""Velocity of players without accents; those of the others lie around it."""

GHOST_VELOCITY = 60.0
"""Softer notes are ghost notes or dead strokes: they stay soft, whoever plays."""


class PartWriter:
    """Collects the notes of one part, whose timing and velocity vary a little, as people's do.

    Attributes:
        strums: Whether a guitarist strikes one string after the other.
        plays_low: Whether a pianist plays with the left hand too.
        height: About where in its compass a player begins the bars of a melody: 0 is the lowest
            pitch, 1 the highest.
    """

    def __init__(self, chart: Chart, rng: Random) -> None:
        """Draw how tight and how early or late this player plays, and how chords are struck."""
        self.chart = chart
        self.rng = rng
        self.part = Part()
        self.intensity = 0.7
        self._jitter_seconds = rng.choice((0.001, 0.004, 0.007, 0.011))
        self._delay_seconds = rng.gauss(0.0, 0.005)
        self._velocity_jitter = rng.choice((0.0, 2.0, 5.0, 8.0))
        self._depth = rng.choice(DEPTHS)
        self._finger_seconds = rng.choice(FINGER_SECONDS)
        self._slope = rng.choice(SLOPES)
        self._rolls = rng.random() < ROLLING
        self.strums = rng.random() < STRUMMING
        self.plays_low = rng.random() >= RIGHT_HAND_ALONE
        self.height = rng.uniform(0.3, 0.7)

    def _draw_jitter(self) -> float:
        """How many seconds late a player's next stroke is."""
        return self.rng.gauss(0.0, self._jitter_seconds)

    def add(
        self,
        bar: int,
        step: float,
        length: float,
        pitch: int,
        velocity: float,
        late_seconds: float | None = None,
    ) -> Note:
        """Add a note at a step of a bar, `length` steps long, accented as this player does.

        Notes of one stroke are late by the same `late_seconds`; a note alone draws its own.
        """
        late = self._draw_jitter() if late_seconds is None else late_seconds
        start = self.chart.seconds_at(bar, step) + self._delay_seconds + late
        loud = velocity * (0.72 + 0.36 * self.intensity)
        if velocity >= GHOST_VELOCITY:
            loud = EVEN_VELOCITY + self._depth * (loud - EVEN_VELOCITY)
        loud += self.rng.gauss(0.0, self._velocity_jitter)
        duration = max(0.03, length * self.chart.step_seconds)
        note = Note(
            max(0.01, start), duration, min(max(pitch, 12), 115), int(min(max(loud, 8), 127))
        )
        self.part.notes.append(note)
        return note

    def add_chord(
        self,
        bar: int,
        step: float,
        length: float,
        pitches: list[int],
        velocity: float,
        *,
        strummed: bool = False,
    ) -> None:
        """Add several notes, one after the other if strummed or rolled, else as one.

        Hands are late as a whole, fingers differ by milliseconds.
        """
        late = self._draw_jitter()
        apart = self.rng.uniform(*STROKE_SECONDS) if strummed or self._rolls else 0.0
        for index, pitch in enumerate(pitches):
            finger = index * apart if apart else self.rng.gauss(0.0, self._finger_seconds)
            self.add(bar, step, length, pitch, velocity + self._slope * index, late + finger)

    def bend(self, seconds: float, semitones: float) -> None:
        """Set the pitch bend of the part from a time onwards."""
        self.part.bends.append((max(0.0, seconds), semitones))

    def pedal(self, bar: int, step: float, down: bool) -> None:
        """Press or release the sustain pedal."""
        self.part.pedals.append(
            (self.chart.seconds_at(bar, step) + (0.02 if down else -0.01), down)
        )
