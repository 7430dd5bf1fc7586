"""Plans of songs: how long chords and sections last."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest

from scripts.dataset.chart import SECTION_BARS, TAIL_SECONDS, make_chart
from scripts.dataset.theory import Chord

METERS = {"4/4": 8, "3/4": 8, "6/8": 6}
"""Where the second chord of a bar begins, if there may be one."""


def draw(meter="4/4", count=100, families=("major", "minor", "jazz", "blues")):
    return [make_chart(Random(seed), meter, 110.0, (0.5, 4), families) for seed in range(count)]


def count_chords(chart):
    """Chords of a song a bar; one that goes on is one."""
    chords = [chord for bar in chart.bars for _, chord in bar]
    return (1 + sum(a != b for a, b in pairwise(chords))) / len(chart.bars)


@pytest.mark.parametrize("meter", METERS)
def test_sections_follow_each_other_and_fill_a_song(meter):
    for chart in draw(meter):
        assert 50 <= chart.duration_seconds <= 155 + TAIL_SECONDS
        ends = 0
        for section in chart.sections:
            assert section.first_bar == ends
            assert 1 <= section.num_bars <= max(SECTION_BARS)
            ends += section.num_bars
        assert ends == len(chart.bars)
        for bar in chart.bars:
            assert [step for step, _ in bar] in ([0], [0, METERS[meter]])
            assert all(isinstance(chord, Chord) for _, chord in bar)


def test_songs_differ_in_how_long_they_stay_on_a_chord():
    rates = np.array([count_chords(chart) for chart in draw()])
    low, high = np.percentile(rates, (10, 90))
    assert low < 0.5
    assert high > 1.2


def test_a_blues_has_twelve_bars():
    for chart in draw(families=("blues",)):
        verse = next(section for section in chart.sections if section.name == "verse")
        assert verse.num_bars == 12 or verse is chart.sections[-1]


def test_some_sections_share_their_chords():
    shared = 0
    for chart in draw(families=("major",)):
        loops = {
            section.name: str(chart.bars[section.first_bar : section.first_bar + 4])
            for section in chart.sections
        }
        shared += len(set(loops.values())) < len(loops)
    assert 40 < shared < 95
