"""Bass and drums listen to each other: a bass strikes its note again where the kick is."""

from bisect import bisect_right
from dataclasses import replace
from random import Random

from scripts.dataset.chart import Chart
from scripts.dataset.drums import KICK
from scripts.dataset.part_writer import GHOST_VELOCITY
from scripts.dataset.score import Note, Part

FOLLOWING = 0.8
"""How often a bass follows the kick; in MIDI files that people wrote, most do."""

FREE = frozenset(("walking", "tumbao"))
"""Kinds of bass that keep a time of their own."""

KICKS = frozenset((KICK, 35))

TOGETHER_SECONDS = 0.05
"""A kick so shortly before or after a note of the bass has that note already."""

APART_SECONDS = 0.07
"""A kick so shortly before a note of the bass adds none: there is no room for it."""

GAP_SECONDS = 0.005
"""Silence before a note that is struck again."""


def follow_kick(bass: Part, drums: Part, chart: Chart, rng: Random) -> Part:
    """The bass, struck again at kicks that have no note of their own.

    The note before is repeated if it is of the kick's bar. A fifth of the basses, and those of
    ``FREE`` kinds, stay as they are.
    """
    if FREE & set(bass.kinds) or rng.random() >= FOLLOWING:
        return bass
    notes = sorted(bass.notes, key=lambda note: note.start_seconds)
    starts = [note.start_seconds for note in notes]
    for kick in list_kicks(drums):
        index = bisect_right(starts, kick + TOGETHER_SECONDS)
        following = starts[index] if index < len(starts) else chart.duration_seconds
        if not index or following - kick < APART_SECONDS:
            continue
        before = notes[index - 1]
        if kick - before.start_seconds < TOGETHER_SECONDS or not _share_bar(chart, before, kick):
            continue
        end = before.start_seconds + before.duration_seconds
        until = min(following - GAP_SECONDS, max(end, kick + chart.step_seconds))
        length = min(before.duration_seconds, kick - before.start_seconds - GAP_SECONDS)
        notes[index - 1] = replace(before, duration_seconds=length)
        notes.insert(index, replace(before, start_seconds=kick, duration_seconds=until - kick))
        starts.insert(index, kick)
    return replace(bass, notes=notes)


def list_kicks(drums: Part) -> list[float]:
    """When the kick is struck, in seconds; ghost notes do not count."""
    return sorted(
        note.start_seconds
        for note in drums.notes
        if note.pitch in KICKS and note.velocity >= GHOST_VELOCITY
    )


def _share_bar(chart: Chart, note: Note, seconds: float) -> bool:
    """Whether a note begins in the bar of that time, so that its pitch suits the chords there."""
    bar = chart.seconds_at(1, 0) - chart.seconds_at(0, 0)
    middle = chart.step_seconds / 2
    return int((note.start_seconds + middle) / bar) == int((seconds + middle) / bar)
