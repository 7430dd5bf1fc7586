"""Melodies go by step."""

from random import Random

import numpy as np
import pytest

from scripts.dataset.melody import line
from scripts.dataset.part_writer import PartWriter

COMPASS = (57, 84)


@pytest.fixture
def draw(composed):
    """The pitches of a bar of melody by one player."""

    def make(player, pattern):
        writer = PartWriter(composed.chart, Random(player))
        return [pitch for _, _, pitch in line(writer, 1, Random(pattern), COMPASS)]

    return make


def test_most_intervals_are_steps(draw):
    sizes = np.abs(np.concatenate([np.diff(draw(seed, seed)) for seed in range(100)]))
    assert np.mean((sizes > 0) & (sizes <= 2)) > 0.4
    assert np.mean(sizes > 7) < 0.1


def test_bars_of_a_player_begin_near_each_other(draw):
    def spread(bars):
        return np.std([bar[0] for bar in bars if bar])

    one = np.mean([spread([draw(player, n) for n in range(20)]) for player in range(10)])
    assert one < 5
    assert spread([draw(n, 0) for n in range(40)]) > 2


def test_a_melody_stays_in_its_compass(draw):
    low, high = COMPASS
    for seed in range(50):
        assert all(low - 3 <= pitch <= high + 3 for pitch in draw(seed, seed))
