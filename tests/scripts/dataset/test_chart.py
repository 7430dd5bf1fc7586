"""Plans of songs: how long chords and sections last."""

from itertools import groupby, pairwise
from random import Random

import numpy as np
import pytest

from scripts.dataset.chart import SECTION_BARS, TAIL_SECONDS, make_chart
from scripts.dataset.theory import Chord

METERS = {"4/4": 8, "3/4": 8, "6/8": 6}
"""The step at which the second chord of a bar begins, if it has one."""


def draw(meter="4/4", count=100, families=("major", "minor", "jazz", "blues")):
    return [make_chart(Random(seed), meter, 110.0, (0.5, 4), families) for seed in range(count)]


def count_chords(chart):
    """Chords a bar; a chord that lasts for several bars counts once."""
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
        names = [section.name for section in chart.sections for _ in range(section.num_bars)]
        verses = [len(list(bars)) for name, bars in groupby(names) if name == "verse"]
        assert all(count % 12 == 0 for count in verses[:-1])


def test_some_sections_share_their_chords():
    shared = 0
    for chart in draw(families=("major",)):
        loops = {
            section.name: str(chart.bars[section.first_bar : section.first_bar + 4])
            for section in chart.sections
        }
        shared += len(set(loops.values())) < len(loops)
    assert 25 < shared < 80


def test_stems_pause_for_a_few_bars_or_enter_half_way():
    late = pauses = 0
    for first, second in (
        pair
        for chart in draw()
        for pair in pairwise(chart.sections)
        if pair[0].name == pair[1].name
    ):
        late += first.playing < second.playing
        pauses += second.playing < first.playing and second.num_bars <= 2
        assert first.playing
        assert second.playing
    assert late > 10
    assert pauses > late


def test_guitars_rest_much_in_some_songs_and_not_at_all_in_others():
    shares = []
    for chart in draw(count=300):
        bars = sum(section.num_bars for section in chart.sections if "guitar" in section.playing)
        shares.append(bars / len(chart.bars))
    assert np.mean(np.array(shares) == 0) == pytest.approx(0.15, abs=0.06)
    assert np.mean(np.array(shares) == 1) > 0.2
    assert np.mean((np.array(shares) > 0) & (np.array(shares) < 0.6)) > 0.05
