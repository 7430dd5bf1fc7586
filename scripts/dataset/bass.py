"""Bass lines, one function a kind: each writes one bar.

`pattern` is a generator that starts alike for the bars that repeat, so that what it draws is the
riff.
"""

from collections.abc import Callable
from random import Random

from scripts.dataset.part_writer import PartWriter
from scripts.dataset.theory import SCALES, Chord, nearest_pitch

LOW = 28
HIGH = 52


def _root(chord: Chord, centre: float = 37.0) -> int:
    pitch = nearest_pitch(chord.root, centre)
    return pitch + 12 if pitch < LOW else pitch


def _fit(pitch: int) -> int:
    while pitch > HIGH:
        pitch -= 12
    while pitch < LOW:
        pitch += 12
    return pitch


def eighths(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Roots in steady notes, with an approach to the next chord now and then."""
    grid = pattern.choice((2, 2, 2, 4, 1))
    short = pattern.uniform(0.6, 0.98)
    octave_at = pattern.choice((None, None, 6, 14))
    steps = writer.chart.steps_per_bar
    for step in range(0, steps, grid):
        pitch = _root(writer.chart.chord_at(bar, step))
        if step == octave_at:
            pitch = _fit(pitch + 12)
        if step == steps - grid and writer.rng.random() < 0.2:
            pitch = _fit(
                _root(writer.chart.chord_at(bar + 1, 0)) + writer.rng.choice((-1, 1, -2, 2))
            )
        writer.add(bar, step, grid * short, pitch, 100 if step % 4 == 0 else 86)


def root_fifth(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Root on the strong beats, fifth on the others."""
    grid = (
        8
        if writer.chart.meter == "4/4" and pattern.random() < 0.6
        else 4
        if writer.chart.meter != "6/8"
        else 6
    )
    pick_up = pattern.random() < 0.4
    for index, step in enumerate(range(0, writer.chart.steps_per_bar, grid)):
        chord = writer.chart.chord_at(bar, step)
        pitch = _root(chord)
        if index % 2:
            pitch = _fit(pitch + pattern.choice((7, -5, 7, 12)))
        writer.add(bar, step, grid * 0.85, pitch, 98 if index == 0 else 88)
        if pick_up and step + grid >= writer.chart.steps_per_bar:
            writer.add(bar, step + grid - 2, 1.6, _root(writer.chart.chord_at(bar + 1, 0)), 80)


def octaves(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Disco octaves: low root on the beat, high root off it."""
    grid = pattern.choice((2, 2, 1))
    length = pattern.uniform(0.5, 0.95)
    for index, step in enumerate(range(0, writer.chart.steps_per_bar, grid)):
        pitch = _root(writer.chart.chord_at(bar, step), 33.0)
        writer.add(bar, step, grid * length, pitch + 12 * (index % 2), 100 - 8 * (index % 2))


def walking(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A walking bass: chord and scale tones in quarters that lead by step to the next root."""
    steps = writer.chart.steps_per_bar
    rng = writer.rng
    pitch = _root(writer.chart.chord_at(bar, 0), rng.choice((34, 38, 42)))
    target = _root(writer.chart.chord_at(bar + 1, 0), pitch)
    beats = list(range(0, steps, 4))
    for index, step in enumerate(beats):
        chord = writer.chart.chord_at(bar, step)
        if index == len(beats) - 1 and len(beats) > 1:
            pitch = _fit(target + rng.choice((-1, 1, -2, 2, 7)))
        elif index:
            pitch = _fit(nearest_pitch(rng.choice(chord.tones), pitch + rng.choice((-4, 4, 5))))
        writer.add(bar, step, 3.7, pitch, 96 if index % 2 == 0 else 90)
        if rng.random() < 0.12:
            writer.add(bar, step + 2, 1.2, pitch, 62)


def riff(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A repeated rhythm over the tones of the chord and the scale."""
    steps = writer.chart.steps_per_bar
    density = pattern.uniform(0.35, 0.7)
    grid = pattern.choice((1, 2, 2))
    onsets = [0] + [step for step in range(grid, steps, grid) if pattern.random() < density]
    for index, step in enumerate(onsets):
        chord = writer.chart.chord_at(bar, step)
        until = onsets[index + 1] if index + 1 < len(onsets) else steps
        interval = pattern.choice((0, 0, 7, 12, 10, 5, 3, -5)) if index else 0
        pitch = _root(chord) + interval
        if (
            interval in (3, 5, 10)
            and (pitch - writer.chart.tonic) % 12 not in SCALES[writer.chart.mode]
        ):
            pitch = _root(chord)
        writer.add(
            bar,
            step,
            (until - step) * pattern.uniform(0.5, 1.0),
            _fit(pitch),
            102 if step == 0 else 88,
        )


def arpeggio(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Broken chords in steady notes."""
    grid = pattern.choice((2, 4, 2))
    order = pattern.choice(((0, 1, 2, 1), (0, 2, 1, 2), (0, 1, 2, 3), (0, 2, 3, 2)))
    for index, step in enumerate(range(0, writer.chart.steps_per_bar, grid)):
        chord = writer.chart.chord_at(bar, step)
        tones = [*chord.tones[:3], chord.root]
        pitch = (
            _root(chord)
            + (tones[order[index % 4]] - chord.root) % 12
            + (12 if order[index % 4] == 3 else 0)
        )
        writer.add(bar, step, grid * 0.95, _fit(pitch), 94 if index == 0 else 84)


def funk(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Syncopated sixteenths with octave pops and dead notes."""
    steps = writer.chart.steps_per_bar
    for step in range(steps):
        roll = pattern.random()
        pitch = _root(writer.chart.chord_at(bar, step), 33.0)
        length = pattern.uniform(0.5, 1.4)
        if step == 0:
            writer.add(bar, step, 1.8, pitch, 112)
        elif roll < 0.16:
            writer.add(bar, step, length, pitch + 12, 112)
        elif roll < 0.32:
            writer.add(bar, step, length, pitch, 98)
        elif roll < 0.42:
            writer.add(bar, step, 0.3, pitch, 48)
        elif roll < 0.49:
            writer.add(bar, step, length, _fit(pitch + pattern.choice((7, 10, 5))), 92)


def sustain(writer: PartWriter, bar: int, pattern: Random) -> None:
    """One long root a chord."""
    chords = writer.chart.bars[bar]
    for index, (step, chord) in enumerate(chords):
        until = chords[index + 1][0] if index + 1 < len(chords) else writer.chart.steps_per_bar
        writer.add(bar, step, (until - step) * 0.97, _root(chord, pattern.choice((31, 37))), 92)


def tumbao(writer: PartWriter, bar: int, pattern: Random) -> None:
    """The Latin bass that anticipates the next chord."""
    steps = writer.chart.steps_per_bar
    chord = writer.chart.chord_at(bar, 0)
    if pattern.random() < 0.5:
        writer.add(bar, 0, 5, _root(chord), 95)
    writer.add(bar, 6, 5, _fit(_root(chord) + pattern.choice((7, 7, 12))), 96)
    if steps == 16:
        writer.add(bar, 12, 4, _root(writer.chart.chord_at(bar + 1, 0)), 98)


def reggae(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A sparse melodic line with rests on the first beat now and then."""
    steps = writer.chart.steps_per_bar
    onsets = [step for step in range(0, steps, 2) if pattern.random() < 0.45]
    for step in onsets:
        chord = writer.chart.chord_at(bar, step)
        pitch = nearest_pitch(pattern.choice((chord.root, chord.root, *chord.tones[:3])), 35)
        writer.add(bar, step, pattern.choice((1.4, 1.8, 3.0)), _fit(pitch), 98)


KINDS: dict[str, Callable[[PartWriter, int, Random], None]] = {
    "eighths": eighths,
    "root_fifth": root_fifth,
    "octaves": octaves,
    "walking": walking,
    "riff": riff,
    "arpeggio": arpeggio,
    "funk": funk,
    "sustain": sustain,
    "tumbao": tumbao,
    "reggae": reggae,
}
