"""Melodies for lead lines: a random walk over the scale that meets the chord on strong beats."""

from random import Random

from scripts.dataset.part_writer import PartWriter
from scripts.dataset.theory import SCALES, nearest_pitch, scale_pitches


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
    index = pattern.randrange(len(pitches) // 4, 3 * len(pitches) // 4)
    leap = pattern.choice((1, 2, 2, 4))
    notes = []
    for step, length in rhythm(pattern, chart.steps_per_bar, pattern.random()):
        index = min(max(index + pattern.randint(-leap, leap), 0), len(pitches) - 1)
        pitch = pitches[index]
        if step % 8 == 0 or length >= 4:
            candidates = [nearest_pitch(tone, pitch) for tone in chart.chord_at(bar, step).tones]
            distances = [abs(candidate - pitch) for candidate in candidates]
            pitch = candidates[distances.index(min(distances))]
        notes.append((step, length, pitch))
    return notes
