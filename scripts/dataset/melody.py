"""Melodies for lead lines: most notes go by step, those on strong beats are of the chord."""

from random import Random

from scripts.dataset.part_writer import PartWriter
from scripts.dataset.theory import SCALES, nearest_pitch, scale_pitches

TURNING = 0.35
"""How often a melody changes its direction from note to note."""

LEAPS = (0.05, 0.15, 0.35)
"""How often a melody leaps, one of these a bar; otherwise it goes by step or stays."""


def rhythm(pattern: Random, steps: int, density: float) -> list[tuple[float, float]]:
    """Onsets and lengths in steps that fill a bar; `density` is 0 (long notes) to 1."""
    lengths = (
        (1, 2, 2, 2, 3, 4)
        if density > 0.6
        else (2, 2, 3, 4, 4, 6)
        if density > 0.3
        else (4, 4, 6, 8)
    )
    result: list[tuple[float, float]] = []
    step = float(pattern.choice((0, 0, 0, 2, 4)))
    while step < steps:
        length = min(pattern.choice(lengths), steps - step)
        if pattern.random() < 0.85:
            result.append((step, length))
        step += length
    return result


def line(
    writer: PartWriter, bar: int, pattern: Random, compass: tuple[int, int]
) -> list[tuple[float, float, int]]:
    """One bar of melody as (step, length, pitch) within a compass of MIDI pitches."""
    chart = writer.chart
    minor_like = 3 in SCALES[chart.mode]
    mode = "blues" if minor_like and pattern.random() < 0.3 else chart.mode
    pitches = scale_pitches(chart.tonic, mode, *compass)
    index = round(writer.height * (len(pitches) - 1)) + pattern.randint(-2, 2)
    direction = pattern.choice((-1, 1))
    leaps = pattern.choice(LEAPS)
    notes = []
    for step, length in rhythm(pattern, chart.steps_per_bar, pattern.random()):
        if pattern.random() < TURNING:
            direction = -direction
        move = pattern.choice((2, 3, 4)) if pattern.random() < leaps else pattern.choice((0, 1, 1))
        index = min(max(index + direction * move, 0), len(pitches) - 1)
        pitch = pitches[index]
        if step % 8 == 0 or length >= 4:
            tones = [nearest_pitch(tone, pitch) for tone in chart.chord_at(bar, step).tones]
            pitch = min(tones, key=lambda tone: abs(tone - pitches[index]))
            index = min(range(len(pitches)), key=lambda place: abs(pitches[place] - pitch))
        notes.append((step, length, pitch))
    return notes
