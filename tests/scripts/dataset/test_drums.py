"""Drummers keep their grooves and their fills."""

import numpy as np
import pytest

from scripts.dataset.chart import LEAD_IN_SECONDS, Chart, Section
from scripts.dataset.composer import write_drums
from scripts.dataset.drums import CRASH, TOMS
from scripts.dataset.part_writer import PartWriter
from scripts.dataset.theory import Chord

BARS = 32
CYMBALS = {CRASH, 52, 55, 57}


@pytest.fixture
def chart(monkeypatch):
    """A verse of 16 bars and a chorus, at 120 quarters a minute, played to the grid."""
    monkeypatch.setattr(PartWriter, "_draw_jitter", lambda writer: 0.0)
    sections = [
        Section(name, first, 16, 0.5, frozenset(("drums",)))
        for name, first in (("verse", 0), ("chorus", 16))
    ]
    bars = [[(0, Chord(0, ""))] for _ in range(BARS)]
    return Chart(0, "major", "4/4", 120.0, 0.5, 4, bars, sections)


def list_bars(part):
    """Of each bar, steps and drums, without crashes."""
    bars = [set() for _ in range(BARS + 1)]
    for note in part.notes:
        bar, seconds = divmod(note.start_seconds - LEAD_IN_SECONDS + 0.02, 2.0)
        if note.pitch not in CYMBALS:
            bars[int(bar)].add((int(seconds / 0.125), note.pitch))
    return bars[:BARS]


def count_kinds(bars):
    return len({frozenset(bar) for bar in bars})


def test_bars_come_again_and_some_drummers_play_both_sections_alike(chart):
    alike = 0
    kinds = []
    for seed in map(str, range(60)):
        bars = list_bars(write_drums(chart, "rock", seed))
        kinds.append(count_kinds(bars))
        alike += bars[4] == bars[20]
    assert np.median(kinds) < 10
    assert 6 < alike < 50


def test_drummers_differ_in_how_often_they_strike_toms_and_crashes(chart):
    toms, crashes = [], []
    for seed in map(str, range(60)):
        notes = write_drums(chart, "pop", seed).notes
        toms.append(sum(note.pitch in TOMS for note in notes))
        crashes.append(sum(note.pitch in CYMBALS for note in notes))
    assert min(toms) == 0
    assert max(toms) > 30
    assert min(crashes) <= 3
    assert max(crashes) >= BARS / 4


def test_the_same_seed_is_the_same_drummer(chart):
    notes = write_drums(chart, "funk", "x").notes
    assert notes == write_drums(chart, "funk", "x").notes
    assert notes != write_drums(chart, "funk", "y").notes
