"""Players differ in how they accent."""

from random import Random

import numpy as np

from scripts.dataset.composer import compose
from scripts.dataset.part_writer import PartWriter


def play(seed, velocities, intensity=0.7):
    writer = PartWriter(compose("2").chart, Random(seed))
    writer.intensity = intensity
    return np.array([writer.add(1, 0, 1, 60, velocity).velocity for velocity in velocities])


def test_some_players_strike_all_notes_alike_and_others_accent():
    accents = [np.diff(play(seed, [70] * 20 + [110] * 20)).sum() for seed in range(80)]
    assert np.mean(np.abs(accents) < 15) > 0.3
    assert np.mean(np.array(accents) > 25) > 0.15


def test_ghost_notes_are_soft_whoever_plays():
    assert all(play(seed, [38] * 8).mean() < 60 for seed in range(40))


def test_some_players_are_louder_in_intense_sections():
    louder = [
        play(seed, [90] * 20, 1.0).mean() - play(seed, [90] * 20, 0.3).mean() for seed in range(60)
    ]
    assert np.mean(np.abs(louder) < 3) > 0.15
    assert np.mean(np.array(louder) > 15) > 0.15
