"""Arranges a song as bands do: two guitars or keyboards, borrowed roles, doubled lines, toms.

A second part is MMA's if it has two instruments for a stem. Else it is the composer's, over the
same chords, for MMA's songs too: of kinds that the first part does not play, in some of the
sections in which the stem plays.
"""

from collections.abc import Collection
from dataclasses import replace
from random import Random

from scripts.dataset.chart import LEAD_IN_SECONDS, Chart
from scripts.dataset.composer import Composition, write_part
from scripts.dataset.drums import BELL, HAT, OPEN_HAT, RIDE, TOMS
from scripts.dataset.roles import GUITAR_RANGE, fit
from scripts.dataset.score import Note, Part, Song, without_overlaps

OTHERS = {"guitar": "piano", "piano": "guitar"}

SECOND = 0.4
"""How often a guitar or piano has a second part."""

BORROWED = 0.1
"""How often a part is of the kinds that the other of guitar and piano plays."""

DOUBLED = 0.1
"""How often guitar or piano plays the other's highest notes an octave away, as its second part."""

RAISED = 0.1
"""How often a bass plays an octave higher."""

MOVED = 0.3
"""How often a guitar or piano plays an octave higher or lower: else its register tells its name."""

SINGING = 0.1
"""How often toms play a tune in place of hi-hat and ride."""

SECTIONS = 0.65
"""In how many sections second parts play, or toms sing."""

TIMEKEEPERS = frozenset((HAT, OPEN_HAT, RIDE, BELL))

HIGHEST_BASS = 64
RANGES = {"guitar": GUITAR_RANGE, "piano": (28, 100)}
"""Lowest and highest notes that move."""

TOGETHER_SECONDS = 0.04


def arrange(composition: Composition, seed: str) -> Song:
    """The song in an arrangement; the same seed gives the same one."""
    rng = Random(f"{seed}/arrangement")
    parts = dict(composition.song.parts)
    if rng.random() < RAISED:
        bass = parts["bass"]
        raised = move(bass, 12, (0, HIGHEST_BASS))
        parts["bass"] = replace(raised, kinds=[*bass.kinds, "raised"])
    if rng.random() < SINGING:
        parts["drums"] = _sing(parts["drums"], composition.chart, f"{seed}/toms")
    for stem in OTHERS:
        if parts[stem].notes:
            parts[stem] = _vary(composition, stem, rng, f"{seed}/{stem}/borrowed")
    playing = [stem for stem in OTHERS if parts[stem].notes]
    seconds = dict(composition.song.second_parts)
    for stem in playing:
        if rng.random() < SECOND and stem not in seconds:
            part = _write_second(composition, stem, parts[stem], f"{seed}/{stem}/second")
            seconds[stem] = part
    if len(playing) == len(OTHERS) and rng.random() < DOUBLED:
        stem = rng.choice(playing)
        line = double_line(parts[OTHERS[stem]], rng.choice((-12, 12)))
        line.kinds = ["doubled line"]
        chart = _thin_out(composition.chart, stem, rng)
        line.notes = [
            note for note in line.notes if stem in chart.section_at(note.start_seconds).playing
        ]
        seconds[stem] = fit(line, stem)
    seconds = {stem: part for stem, part in seconds.items() if part.notes}
    return replace(composition.song, parts=parts, second_parts=seconds)


def _vary(composition: Composition, stem: str, rng: Random, seed: str) -> Part:
    """The part of guitar or piano, or one of the other's kinds, perhaps an octave away."""
    part = composition.song.parts[stem]
    if rng.random() < BORROWED:
        part = _borrow(composition, stem, seed)
    if rng.random() < MOVED:
        part = move(part, rng.choice((-12, 12)), RANGES[stem])
    return part


def _borrow(composition: Composition, stem: str, seed: str, avoided: Collection[str] = ()) -> Part:
    """A part of the kinds that the other of guitar and piano plays."""
    player = OTHERS[stem]
    part = write_part(composition.chart, composition.style, stem, seed, player, avoided)
    part.kinds = [f"{player}'s {kind}" for kind in part.kinds]
    return fit(part, stem)


def _write_second(composition: Composition, stem: str, first: Part, seed: str) -> Part:
    """A part of other kinds, or now and then of those that the other plays, in some sections."""
    rng = Random(seed)
    chart = _thin_out(composition.chart, stem, rng)
    avoided = {kind.rpartition("'s ")[2] for kind in first.kinds}
    if rng.random() < BORROWED:
        return _borrow(replace(composition, chart=chart), stem, seed, avoided)
    return write_part(chart, composition.style, stem, seed, avoided=avoided)


def _thin_out(chart: Chart, stem: str, rng: Random) -> Chart:
    """The chart, in which a stem rests in some more sections, by name; in one at least it plays."""
    names = sorted({section.name for section in chart.sections if stem in section.playing})
    kept = {name for name in names if rng.random() < SECTIONS} or {rng.choice(names)}
    sections = [
        section if section.name in kept else replace(section, playing=section.playing - {stem})
        for section in chart.sections
    ]
    return replace(chart, sections=sections)


def double_line(part: Part, semitones: int) -> Part:
    """The highest of the notes that begin together, so many semitones away."""
    line: list[Note] = []
    for note in sorted(part.notes, key=lambda note: note.start_seconds):
        if not line or note.start_seconds - line[-1].start_seconds > TOGETHER_SECONDS:
            line.append(note)
        elif note.pitch > line[-1].pitch:
            line[-1] = note
    moved = [replace(note, pitch=note.pitch + semitones) for note in line]
    return Part(without_overlaps(moved))


def move(part: Part, semitones: int, compass: tuple[int, int]) -> Part:
    """The part so many semitones away; what would leave the compass, lowest to highest, stays."""
    low, high = compass
    notes = [
        replace(note, pitch=note.pitch + semitones * (low <= note.pitch + semitones <= high))
        for note in part.notes
    ]
    return replace(part, notes=without_overlaps(notes))


def _sing(part: Part, chart: Chart, seed: str) -> Part:
    """Drums whose toms play a tune in place of hi-hat and ride; every bar of a section has it."""
    rng = Random(seed)
    names = sorted({section.name for section in chart.sections if "drums" in section.playing})
    tunes = {name: _write_tune(chart, rng) for name in names if rng.random() < SECTIONS}
    notes = []
    for note in part.notes:
        tune = tunes.get(chart.section_at(note.start_seconds).name)
        if tune and note.pitch in TIMEKEEPERS:
            step = round((note.start_seconds - LEAD_IN_SECONDS) / chart.step_seconds)
            note = replace(note, pitch=tune[step % len(tune)])
        notes.append(note)
    return replace(part, notes=notes, kinds=[*part.kinds, "singing toms"])


def _write_tune(chart: Chart, rng: Random) -> list[int]:
    """A tom for each step of a bar; neighbours in the tune are neighbours in the kit."""
    place = rng.randrange(len(TOMS))
    tune = []
    for _ in range(chart.steps_per_bar):
        place = min(max(place + rng.choice((-1, 0, 1)), 0), len(TOMS) - 1)
        tune.append(TOMS[place])
    return tune
