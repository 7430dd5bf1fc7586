"""Loops of zones."""

from dataclasses import replace

import numpy as np
import pytest

from scripts.dataset.zone_loops import correlate, mend_loop
from scripts.dataset.zones import Zone

RATE_HZ = 22050
PERIOD_SAMPLES = 100


@pytest.fixture
def zone():
    hz = RATE_HZ / PERIOD_SAMPLES
    steady = np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    return Zone(steady, RATE_HZ, 40, 60, 69 + 12 * np.log2(hz / 440), (5000, 5999))


def test_a_loop_that_meets_itself_is_kept(zone):
    assert mend_loop(zone) is zone
    unlooped = replace(zone, loop=None)
    assert mend_loop(unlooped) is unlooped


def test_an_end_that_does_not_match_is_moved_within_a_period(zone):
    moved = mend_loop(replace(zone, loop=(5000, 6030)))
    assert moved.loop in {(5000, 5999), (5000, 6099)}
    assert (moved.loop[1] + 1 - moved.loop[0]) % PERIOD_SAMPLES == 0


def test_a_loop_that_cannot_meet_itself_is_dropped(zone):
    noise = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32)
    assert mend_loop(replace(zone, audio=noise)).loop is None


def test_correlation_does_not_depend_on_level():
    sound = np.random.default_rng(0).standard_normal(100)
    assert correlate(sound, 3 * sound) == pytest.approx(1)
    assert correlate(sound, -sound) == pytest.approx(-1)
    assert correlate(sound, 0 * sound) == 0
