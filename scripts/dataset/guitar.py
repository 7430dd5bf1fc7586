"""Guitar parts, one function a kind: each writes one bar (see `bass` for `pattern`)."""

from collections.abc import Callable
from random import Random

from scripts.dataset.melody import line
from scripts.dataset.part_writer import PartWriter
from scripts.dataset.theory import SCALES, Chord, nearest_pitch, scale_pitches, voicing

STRUMS = (
    "D...D.D...U.D.U.",
    "D...D.U...U.D.U.",
    "D...D...D...D...",
    "D.DUD.DUD.DUD.DU",
    "D...D.UU..UUD.U.",
    "D.....U...U...U.",
    "D.......D.......",
    "D..D..D.D..D..D.",
    "DUDUDUDUDUDUDUDU",
    "D...............",
    "..D...D...D...D.",
    "D..U..D...U.D...",
)
STRUMS_12 = (
    "D...D...D...",
    "D...D.U.D.U.",
    "D.D.D.D.D.D.",
    "D.....D.U.D.",
    "D.UUD.D.UUD.",
    "D...........",
)
POWER_RHYTHMS: tuple[tuple[int, ...], ...] = (
    (0,),
    (0, 8),
    (0, 6, 10),
    (0, 3, 6, 8, 11, 14),
    (0, 4, 8, 12),
    (0, 10),
)
LOWEST = 40

RINGING = frozenset(("strum", "pick", "sustain"))
"""Kinds whose strings may ring until the chord ends."""


def _shape(chord: Chord, pattern: Random) -> list[int]:
    """A guitar voicing of four to six strings: root in the bass, then chord tones."""
    root = nearest_pitch(chord.root, 45)
    root = root + 12 if root < LOWEST else root
    count = pattern.choice((3, 4, 5))
    upper = voicing(chord, root + 5, count)
    return [root, *upper]


def _strum(
    writer: PartWriter, bar: int, step: float, length: float, stroke: tuple[list[int], bool, float]
) -> None:
    """One stroke: pitches, down or up, velocity."""
    pitches, down, velocity = stroke
    strings = pitches if down else pitches[::-1][: max(3, len(pitches) - 2)]
    writer.add_chord(bar, step, length, strings, velocity, strummed=writer.strums)


def strum(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Strummed chords with down and up strokes."""
    strokes = pattern.choice(STRUMS if writer.chart.steps_per_bar == 16 else STRUMS_12)
    ring = pattern.choice((True, True, False))
    onsets = [step for step, stroke in enumerate(strokes) if stroke != "."]
    for index, step in enumerate(onsets):
        until = onsets[index + 1] if index + 1 < len(onsets) else len(strokes)
        pitches = _shape(writer.chart.chord_at(bar, step), Random(pattern.getrandbits(8)))
        accent = 96 if step % 8 == 0 else 82 if strokes[step] == "D" else 72
        length = (until - step) * (1.0 if ring else 0.55)
        _strum(writer, bar, step, length, (pitches, strokes[step] == "D", accent))


def power(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Power chords: root, fifth and octave, in long or syncopated notes."""
    steps = writer.chart.steps_per_bar
    rhythm = pattern.choice(POWER_RHYTHMS)
    onsets = [step for step in rhythm if step < steps]
    for index, step in enumerate(onsets):
        until = onsets[index + 1] if index + 1 < len(onsets) else steps
        root = nearest_pitch(writer.chart.chord_at(bar, step).root, 44)
        root = root + 12 if root < LOWEST else root
        chord = [root, root + 7, root + 12][: pattern.choice((2, 3, 3))]
        _strum(
            writer,
            bar,
            step,
            (until - step) * pattern.choice((0.95, 0.95, 0.6)),
            (chord, True, 104),
        )


def chug(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Palm-muted notes on the low strings with open accents."""
    grid = pattern.choice((2, 2, 1))
    accents = {
        step for step in range(0, writer.chart.steps_per_bar, grid) if pattern.random() < 0.2
    } | {0}
    for step in range(0, writer.chart.steps_per_bar, grid):
        if grid == 1 and pattern.random() < 0.25:
            continue
        root = nearest_pitch(writer.chart.chord_at(bar, step).root, 43)
        root = root + 12 if root < LOWEST else root
        if step in accents:
            writer.add_chord(bar, step, grid * 1.6, [root, root + 7], 108)
        else:
            writer.add(bar, step, grid * 0.45, root, 84)


def pick(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Fingerpicking: bass on the beat, upper strings between, all left to ring."""
    grid = pattern.choice((2, 2, 1)) if writer.chart.tempo < 110 else 2
    order = [pattern.randrange(1, 5) for _ in range(8)]
    steps = writer.chart.steps_per_bar
    shape_seed = pattern.getrandbits(8)
    for index, step in enumerate(range(0, steps, grid)):
        shape = _shape(writer.chart.chord_at(bar, step), Random(shape_seed))
        strong = step % 8 == 0 or (steps == 12 and step % 6 == 0)
        pitch = shape[0] if strong else shape[min(order[index % 8], len(shape) - 1)]
        writer.add(bar, step, min(steps - step, 8), pitch, 88 if strong else 74)
        if pattern.random() < 0.12:
            writer.add(bar, step, 4, shape[-1], 72)


def funk(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Sixteenth scratches: high chords that ring briefly among dead strokes."""
    shape_seed = pattern.getrandbits(8)
    for step in range(writer.chart.steps_per_bar):
        roll = pattern.random()
        chord = writer.chart.chord_at(bar, step)
        pitches = voicing(chord, 57 + Random(shape_seed).randrange(6), 3)
        down = step % 2 == 0
        if roll < 0.33:
            _strum(writer, bar, step, pattern.choice((0.7, 0.9, 1.8)), (pitches, down, 98))
        elif roll < 0.7:
            _strum(writer, bar, step, 0.18, (pitches, down, 46))


def riff(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A single-note riff on the low strings around the chord's root."""
    steps = writer.chart.steps_per_bar
    scale = scale_pitches(
        writer.chart.tonic, "blues" if 3 in SCALES[writer.chart.mode] else writer.chart.mode, 40, 64
    )
    grid = pattern.choice((1, 2, 2))
    muted = pattern.random() < 0.4
    for step in range(0, steps, grid):
        move = pattern.choice((0, 0, 1, 2, 3, -1))
        if step and pattern.random() < 0.4:
            continue
        root = nearest_pitch(writer.chart.chord_at(bar, step).root, 46)
        pitch = root
        if step:
            distances = [abs(tone - root) for tone in scale]
            nearest = distances.index(min(distances))
            pitch = scale[min(max(nearest + move, 0), len(scale) - 1)]
        writer.add(bar, step, grid * (0.5 if muted else 1.1), pitch, 102 if step % 4 == 0 else 88)


def lead(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A lead line with bends and slides by pitch wheel, and vibrato on long notes."""
    step_seconds = writer.chart.step_seconds
    for step, length, pitch in line(writer, bar, pattern, (57, 84)):
        note = writer.add(bar, step, length * 0.93, pitch, 98)
        roll = writer.rng.random()
        start = note.start_seconds
        writer.bend(start - 0.004, 0.0)
        if length >= 2 and roll < 0.25:
            amount = writer.rng.choice((1.0, 2.0))
            rise = min(0.25, 0.5 * length * step_seconds)
            for index in range(9):
                writer.bend(start + rise * index / 8, amount * (index / 8 - 1.0))
        elif length >= 4 and roll < 0.6:
            _vibrato(writer, start + 0.2, note.duration_seconds - 0.2)
    writer.bend(writer.chart.seconds_at(bar + 1, 0) - 0.03, 0.0)


def _vibrato(writer: PartWriter, start: float, duration: float) -> None:
    """A vibrato of a quarter tone at most and five to six cycles a second."""
    rate_hz = writer.rng.uniform(4.8, 6.2)
    depth = writer.rng.uniform(0.1, 0.3)
    count = int(max(0.0, duration) * rate_hz * 4)
    for index in range(count):
        writer.bend(start + index / (4 * rate_hz), depth * (0.0, 1.0, 0.0, -1.0)[index % 4])


def skank(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Short chords off the beat, as in reggae and ska."""
    grid = pattern.choice((4, 4, 8))
    low = 52 + pattern.randrange(8)
    length = pattern.uniform(0.5, 1.4)
    for step in range(grid // 2, writer.chart.steps_per_bar, grid):
        pitches = voicing(writer.chart.chord_at(bar, step), low, 4)
        _strum(writer, bar, step, length, (pitches, pattern.random() < 0.7, 92))


def sustain(writer: PartWriter, bar: int, pattern: Random) -> None:
    """One chord that rings for its whole length."""
    seed = pattern.getrandbits(8)
    chords = writer.chart.bars[bar]
    for index, (step, chord) in enumerate(chords):
        until = chords[index + 1][0] if index + 1 < len(chords) else writer.chart.steps_per_bar
        _strum(writer, bar, step, until - step, (_shape(chord, Random(seed)), True, 88))


def octaves(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A melody in octaves."""
    for step, length, pitch in line(writer, bar, pattern, (48, 69)):
        writer.add_chord(bar, step, length * 0.85, [pitch, pitch + 12], 92)


KINDS: dict[str, Callable[[PartWriter, int, Random], None]] = {
    "strum": strum,
    "power": power,
    "chug": chug,
    "pick": pick,
    "funk": funk,
    "riff": riff,
    "lead": lead,
    "skank": skank,
    "sustain": sustain,
    "octaves": octaves,
}
