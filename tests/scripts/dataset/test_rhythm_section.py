"""Basses that follow the kick."""

from random import Random

import pytest

from scripts.dataset import rhythm_section
from scripts.dataset.chart import LEAD_IN_SECONDS, Chart, Section
from scripts.dataset.rhythm_section import follow_kick
from scripts.dataset.score import Note, Part
from scripts.dataset.theory import Chord

STEP_SECONDS = 0.125
CHART = Chart(
    0,
    "major",
    "4/4",
    120.0,
    0.5,
    4,
    [[(0, Chord(0, ""))]] * 2,
    [Section("verse", 0, 2, 0.5, frozenset(("bass", "drums")))],
)


def at(step, length, pitch, velocity=90):
    return Note(LEAD_IN_SECONDS + step * STEP_SECONDS, length * STEP_SECONDS, pitch, velocity)


def follow(notes, kicks, kinds=("riff",)):
    drums = Part([at(step, 1, 36, velocity) for step, velocity in kicks])
    found = follow_kick(Part(notes, kinds=list(kinds)), drums, CHART, Random(0)).notes
    return [
        (
            round((note.start_seconds - LEAD_IN_SECONDS) / STEP_SECONDS),
            round(note.duration_seconds / STEP_SECONDS),
            note.pitch,
        )
        for note in found
    ]


@pytest.fixture(autouse=True)
def _all_follow(monkeypatch):
    monkeypatch.setattr(rhythm_section, "FOLLOWING", 1.0)


def test_a_held_note_is_struck_again_at_each_kick():
    assert follow([at(0, 16, 36)], [(0, 110), (6, 98), (10, 98)]) == [
        (0, 6, 36),
        (6, 4, 36),
        (10, 6, 36),
    ]


def test_a_short_note_comes_again_until_the_next_one():
    assert follow([at(0, 2, 36), at(7, 2, 43)], [(3, 98), (6, 98)]) == [
        (0, 2, 36),
        (3, 1, 36),
        (6, 1, 36),
        (7, 2, 43),
    ]


def test_ghost_notes_and_kicks_of_the_next_bar_add_nothing():
    assert follow([at(0, 20, 36)], [(6, 40), (16, 110)]) == [(0, 20, 36)]


def test_a_walking_bass_does_not_follow():
    assert follow([at(0, 16, 36)], [(6, 98)], kinds=("walking",)) == [(0, 16, 36)]
