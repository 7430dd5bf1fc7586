"""Composes a song: its style says what each stem may play, and its sections when."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random

from scripts.dataset import bass, guitar, piano
from scripts.dataset.chart import TAIL_SECONDS, Chart, Section, make_chart
from scripts.dataset.drums import CRASH, KICK, DrumStyle
from scripts.dataset.part_writer import PartWriter
from scripts.dataset.rhythm_section import follow_kick
from scripts.dataset.score import Part, Song, without_overlaps
from scripts.dataset.styles import STYLES, Style
from scripts.dataset.theory import nearest_pitch, voicing

LINES = {"guitar": ("lead", "riff", "pick"), "piano": ("melody", "melody", "broken")}
"""Kinds of part that are lines, not chords."""

ALONE = 0.2
"""How often a guitar or piano plays nothing but lines; most of the others play some, too."""

WriteBar = Callable[[PartWriter, int, Random], None]

PLAYERS = {"bass": bass.KINDS, "guitar": guitar.KINDS, "piano": piano.KINDS}

PEDALLED = {"piano": 0.2, "guitar": 0.25}
"""How often what can be played without pedal has one; a guitar's strings ring as long then."""

SOLOS = {"bass": "", "guitar": "lead", "piano": "melody"}
"""What kind of part plays a solo, if there are solos."""


@dataclass(frozen=True)
class Composition:
    """A song, with the plan and the style by which more parts can be written."""

    song: Song
    chart: Chart
    style: Style


def compose(seed: str) -> Composition:
    """A song of the composer's own in a random style; the same seed gives the same song."""
    rng = Random(seed)
    name = rng.choice(sorted(STYLES))
    style = STYLES[name]
    chart = make_chart(rng, style.meter, rng.uniform(*style.tempos), style.swing, style.harmony)
    parts = {stem: write_part(chart, style, stem, f"{seed}/{stem}") for stem in PLAYERS}
    parts["drums"] = write_drums(chart, style.groove, f"{seed}/drums")
    parts["bass"] = follow_kick(parts["bass"], parts["drums"], chart, Random(f"{seed}/kick"))
    song = Song(
        parts, chart.duration_seconds, "composer", name, chart.tempo, chart.key, chart.meter
    )
    return Composition(song, chart, style)


def write_part(
    chart: Chart,
    style: Style,
    stem: str,
    seed: str,
    player: str = "",
    avoided: Collection[str] = (),
) -> Part:
    """The part of bass, guitar or piano: each name of section has its own kind of part.

    Args:
        chart: The plan of the song.
        style: Names favourite kinds.
        stem: Who plays.
        seed: Decides everything.
        player: Whose kinds of part are played, if not those of the stem itself.
        avoided: Kinds that are not played.
    """
    rng = Random(seed)
    writer = PartWriter(chart, rng)
    player = player or stem
    favourites = _list_kinds(style, player, avoided, rng)
    main = rng.choice(favourites)
    solo = main if SOLOS[player] in avoided else SOLOS[player]
    kinds: dict[str, str] = {}
    period = rng.choice((1, 2, 2, 4))
    write_bars = _draw_pedal(player, rng)
    for section in chart.sections:
        if section.name not in kinds:
            kinds[section.name] = main if rng.random() < 0.4 else rng.choice(favourites)
        if section.name == "solo" and solo:
            kinds[section.name] = solo if rng.random() < 0.6 else main
        if stem in section.playing:
            _write_section(writer, section, write_bars[kinds[section.name]], period, seed)
    if stem in chart.sections[-1].playing:
        _write_ending(writer, stem)
    writer.part.kinds = sorted(set(kinds.values()))
    return _finished(writer, chart)


def _draw_pedal(player: str, rng: Random) -> dict[str, WriteBar]:
    """The kinds of part of a player, who may let notes ring until the chord ends."""
    kinds = PLAYERS[player]
    if rng.random() >= PEDALLED.get(player, 0.0):
        return kinds
    ringing = piano.PEDALLED if player == "piano" else guitar.RINGING
    return kinds | {kind: _with_pedal(kinds[kind]) for kind in ringing}


def _with_pedal(write_bar: WriteBar) -> WriteBar:
    """A kind of part with a pedal for each chord."""

    def write(writer: PartWriter, bar: int, pattern: Random) -> None:
        write_bar(writer, bar, pattern)
        piano.sustain(writer, bar)

    return write


def _write_section(
    writer: PartWriter,
    section: Section,
    write_bar: WriteBar,
    period: int,
    seed: str,
) -> None:
    """The bars of a section; their pattern comes again every so many bars, if it is not free."""
    writer.intensity = section.intensity
    for bar in range(section.first_bar, section.first_bar + section.num_bars):
        free = period == 4 and writer.rng.random() < 0.3
        pattern = Random(f"{seed}/{section.name}/{bar if free else bar % period}")
        write_bar(writer, bar, pattern)


def _list_kinds(style: Style, player: str, avoided: Collection[str], rng: Random) -> list[str]:
    """The favourites of a style, or lines alone; any other kinds if all of those are avoided."""
    favourites = getattr(style, player).split()
    if player in LINES and rng.random() < ALONE:
        favourites = LINES[player]
    kept = [kind for kind in favourites if kind not in avoided]
    return kept or sorted(PLAYERS[player].keys() - set(avoided))


def write_drums(chart: Chart, groove: str, seed: str) -> Part:
    """The drum part."""
    rng = Random(seed)
    writer = PartWriter(chart, rng)
    if chart.steps_per_bar == 12 and groove not in ("waltz", "sixeight"):
        groove = "waltz" if chart.meter == "3/4" else "sixeight"
    style = DrumStyle(rng, groove, seed)
    for section in chart.sections:
        writer.intensity = section.intensity
        if "drums" in section.playing:
            for bar in range(section.first_bar, section.first_bar + section.num_bars):
                style.play_bar(writer, section, bar)
    if "drums" in chart.sections[-1].playing:
        writer.add(len(chart.bars), 0, 8, CRASH, 105)
        writer.add(len(chart.bars), 0, 1, KICK, 105)
    writer.part.kinds = [groove]
    return _finished(writer, chart)


def _write_ending(writer: PartWriter, stem: str) -> None:
    """A last note or chord on the first beat after the last bar."""
    chart = writer.chart
    chord = chart.bars[0][0][1]
    length = 1.6 / chart.step_seconds
    pitches = {
        "bass": [nearest_pitch(chord.root, 36)],
        "guitar": voicing(chord, 45, 5),
        "piano": [nearest_pitch(chord.root, 38)] * writer.plays_low + voicing(chord, 58, 3),
    }[stem]
    writer.add_chord(len(chart.bars), 0, length, pitches, 92)


def _finished(writer: PartWriter, chart: Chart) -> Part:
    """The part with overlaps of one pitch removed and nothing past the end of the song."""
    part = writer.part
    end = chart.duration_seconds - TAIL_SECONDS + 2.0
    part.notes = [note for note in without_overlaps(part.notes) if note.start_seconds < end - 0.1]
    part.bends = sorted(bend for bend in part.bends if bend[0] < end)
    part.pedals = sorted(pedal for pedal in part.pedals if pedal[0] < end)
    return part
