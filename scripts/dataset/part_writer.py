"""Writes the notes of a part as people play them, by bars and steps of a chart."""

from random import Random

from scripts.dataset.chart import Chart
from scripts.dataset.score import Note, Part

FINGER_SECONDS = 0.002
"""By how much the notes of a chord begin apart (standard deviation)."""


class PartWriter:
    """Collects the notes of one part, whose timing and velocity vary a little, as people's do."""

    def __init__(self, chart: Chart, rng: Random) -> None:
        """Draw how tight and how early or late this player plays."""
        self.chart = chart
        self.rng = rng
        self.part = Part()
        self.intensity = 0.7
        self._jitter_seconds = rng.choice((0.001, 0.004, 0.007, 0.011))
        self._delay_seconds = rng.gauss(0.0, 0.005)
        self._velocity_jitter = rng.choice((2.0, 5.0, 8.0))

    def draw_jitter(self) -> float:
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
        """Add a note at a step of a bar, `length` steps long, louder in intense sections.

        Notes of one stroke are late by the same `late_seconds`; a note alone draws its own.
        """
        late = self.draw_jitter() if late_seconds is None else late_seconds
        start = self.chart.seconds_at(bar, step) + self._delay_seconds + late
        loud = velocity * (0.72 + 0.36 * self.intensity) + self.rng.gauss(
            0.0, self._velocity_jitter
        )
        duration = max(0.03, length * self.chart.step_seconds)
        note = Note(
            max(0.01, start), duration, min(max(pitch, 12), 115), int(min(max(loud, 8), 127))
        )
        self.part.notes.append(note)
        return note

    def add_chord(
        self, bar: int, step: float, length: float, pitches: list[int], velocity: float
    ) -> None:
        """Add several notes at once: hands are late as a whole, fingers differ by milliseconds."""
        late = self.draw_jitter()
        for pitch in pitches:
            finger = self.rng.gauss(0.0, FINGER_SECONDS)
            self.add(bar, step, length, pitch, velocity, late + finger)

    def bend(self, seconds: float, semitones: float) -> None:
        """Set the pitch bend of the part from a time onwards."""
        self.part.bends.append((max(0.0, seconds), semitones))

    def pedal(self, bar: int, step: float, down: bool) -> None:
        """Press or release the sustain pedal."""
        self.part.pedals.append(
            (self.chart.seconds_at(bar, step) + (0.02 if down else -0.01), down)
        )
