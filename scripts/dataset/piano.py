"""Piano parts, one function a kind: each writes one bar (see `bass` for `pattern`)."""

from collections.abc import Callable
from random import Random

from scripts.dataset.melody import line
from scripts.dataset.part_writer import PartWriter
from scripts.dataset.theory import Chord, nearest_pitch, voicing

COMPS = (
    "x..x......x.....",
    "x.....x.........",
    "..x...x...x...x.",
    "x...x...x...x...",
    "....x.....x..x..",
    "x..x..x...x.x...",
    "......x.......x.",
    "x.x...x.x.x...x.",
    "x......x........",
    "...x..x....x..x.",
)
MONTUNOS = ("x.xx.xx.x.xx.xx.", "x..xx.x.x.x.x.x.", "x.x.xx.x.x.xx.x.")


def _right(chord: Chord, pattern: Random) -> list[int]:
    """A close right-hand chord of three or four notes around middle C or above."""
    return voicing(chord, pattern.randrange(55, 66), pattern.choice((3, 3, 4)))


def _root(chord: Chord, low: bool = False) -> int:
    return nearest_pitch(chord.root, 36 if low else 44)


def _play_left(
    writer: PartWriter, bar: int, step: float, length: float, pitches: list[int], velocity: float
) -> None:
    """A note or chord of the left hand, if the pianist plays with it."""
    if writer.plays_low:
        writer.add_chord(bar, step, length, pitches, velocity)


PEDALLED = frozenset(("block", "melody", "stride", "comp", "octaves"))
"""Kinds that a pianist may play with pedal or without; the others say so themselves."""


def sustain(writer: PartWriter, bar: int) -> None:
    """Pedal down for each chord of the bar."""
    for step, _ in writer.chart.bars[bar]:
        writer.pedal(bar, step, False)
        writer.pedal(bar, step + 0.3, True)
    writer.pedal(bar + 1, 0, False)


def block(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Block chords on every beat or eighth, with the root in the left hand."""
    grid = pattern.choice((4, 4, 2, 8))
    length = pattern.uniform(0.5, 0.98)
    seed = pattern.getrandbits(8)
    for step in range(0, writer.chart.steps_per_bar, grid):
        chord = writer.chart.chord_at(bar, step)
        writer.add_chord(
            bar, step, grid * length, _right(chord, Random(seed)), 84 if step % 8 == 0 else 74
        )
        if step % 8 == 0:
            _play_left(writer, bar, step, 7, [_root(chord)], 82)


def arpeggio(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A running arpeggio over two octaves with pedal."""
    grid = pattern.choice((1, 2, 2))
    low = pattern.randrange(46, 62)
    shape = pattern.choice(("up", "updown", "random"))
    count = pattern.choice((4, 5, 6, 8))
    order = list(range(count)) + (list(range(count - 2, 0, -1)) if shape == "updown" else [])
    if shape == "random":
        pattern.shuffle(order)
    sustain(writer, bar)
    for index, step in enumerate(range(0, writer.chart.steps_per_bar, grid)):
        chord = writer.chart.chord_at(bar, step)
        pitch = voicing(chord, low, count)[order[index % len(order)]]
        writer.add(bar, step, grid * 1.5, pitch, 78 if step % 4 else 86)
        if step == 0:
            _play_left(writer, bar, 0, 8, [_root(chord, True)], 80)


def octaves(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Octaves in the left hand, chords in the right."""
    strokes = pattern.choice(COMPS)
    seed = pattern.getrandbits(8)
    steps = writer.chart.steps_per_bar
    for step in range(0, steps, pattern.choice((4, 8))):
        root = _root(writer.chart.chord_at(bar, step), True)
        _play_left(writer, bar, step, 3.6, [root, root + 12], 92)
    for step, mark in enumerate(strokes[:steps]):
        if mark == "x":
            writer.add_chord(
                bar, step, 1.8, _right(writer.chart.chord_at(bar, step), Random(seed)), 86
            )


def stride(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Stride: low root on strong beats, chord on weak ones, a bit of melody above."""
    steps = writer.chart.steps_per_bar
    period = 8 if steps == 16 else 12
    for step in range(0, steps, 4):
        chord = writer.chart.chord_at(bar, step)
        if step % period == 0:
            root = _root(chord, True)
            octave = [root, root + 12][: pattern.choice((1, 2))]
            _play_left(writer, bar, step, 3, octave, 92)
        else:
            writer.add_chord(bar, step, 2, voicing(chord, 52, 3), 74)
    if pattern.random() < 0.6:
        for onset, length, pitch in line(writer, bar, pattern, (67, 88)):
            writer.add(bar, onset, length * 0.9, pitch, 88)


def broken(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Broken chords: outer and inner notes in turn (Alberti and its kin)."""
    order = pattern.choice(((0, 2, 1, 2), (0, 1, 2, 1), (0, 2, 3, 2), (0, 1, 2, 3)))
    low = pattern.randrange(48, 64)
    grid = pattern.choice((2, 2, 1))
    pedal = pattern.random() < 0.5
    if pedal:
        sustain(writer, bar)
    for index, step in enumerate(range(0, writer.chart.steps_per_bar, grid)):
        pitches = voicing(writer.chart.chord_at(bar, step), low, 4)
        writer.add(bar, step, grid * 0.95, pitches[order[index % 4]], 84 if index % 4 == 0 else 72)


def montuno(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A syncopated figure in octaves and chord tones."""
    strokes = pattern.choice(MONTUNOS)
    for index, step in enumerate(s for s in range(writer.chart.steps_per_bar) if strokes[s] == "x"):
        pitches = voicing(writer.chart.chord_at(bar, step), 60, 4)
        if index % 2 == 0:
            writer.add_chord(bar, step, 1.6, [pitches[0], pitches[0] + 12], 94)
        else:
            writer.add_chord(bar, step, 1.4, pitches[1:3], 84)


def melody(writer: PartWriter, bar: int, pattern: Random) -> None:
    """A melody in the right hand; if the left hand plays, sparse chords below it."""
    doubled = pattern.random() < 0.2
    for step, length, pitch in line(writer, bar, pattern, (62, 90)):
        writer.add_chord(bar, step, length * 0.92, [pitch, pitch + 12] if doubled else [pitch], 94)
    if writer.plays_low and pattern.random() < 0.7:
        for step, chord in writer.chart.bars[bar]:
            low = [_root(chord, True), *voicing(chord, 48, 2)]
            writer.add_chord(bar, step, 6, low, 70)


def pad(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Long chords with pedal, rolled now and then."""
    seed = pattern.getrandbits(8)
    sustain(writer, bar)
    roll = pattern.choice((0.0, 0.0, 0.12, 0.3))
    for step, chord in writer.chart.bars[bar]:
        root = _root(chord, True)
        low = [root, root + 12] if writer.plays_low else []
        pitches = [*low, *_right(chord, Random(seed))]
        if not roll:
            writer.add_chord(bar, step, 10, pitches, 76)
            continue
        for index, pitch in enumerate(pitches):
            writer.add(bar, step + index * roll, 10, pitch, 76)


def comp(writer: PartWriter, bar: int, pattern: Random) -> None:
    """Syncopated comping with rootless or full chords."""
    strokes = pattern.choice(COMPS)
    seed = pattern.getrandbits(8)
    length = pattern.choice((0.7, 1.5, 3.0))
    for step, mark in enumerate(strokes[: writer.chart.steps_per_bar]):
        if mark == "x":
            pitches = _right(writer.chart.chord_at(bar, step), Random(seed))
            writer.add_chord(bar, step, length, pitches, 86 + 8 * (step % 4 == 0))


KINDS: dict[str, Callable[[PartWriter, int, Random], None]] = {
    "block": block,
    "arpeggio": arpeggio,
    "octaves": octaves,
    "stride": stride,
    "broken": broken,
    "montuno": montuno,
    "melody": melody,
    "pad": pad,
    "comp": comp,
}
