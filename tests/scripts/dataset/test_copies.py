"""Instruments that repeat the samples of others."""

from dataclasses import replace

import numpy as np
import pytest

from scripts.dataset.copies import PRINT_SAMPLES, measure_copies, take_prints


def test_copies_are_found_at_any_level_rate_and_delay(make_zone):
    zones = [make_zone(pitch) for pitch in (50.0, 55.0, 61.0)]
    prints = take_prints(zones)
    assert prints.shape == (3, PRINT_SAMPLES)
    np.testing.assert_allclose(np.linalg.norm(prints, axis=1), 1, rtol=1e-5)
    late = np.concatenate([np.zeros(20, np.float32), 0.3 * zones[0].audio])
    assert measure_copies(take_prints([replace(zones[0], audio=late)]), prints) == 1
    doubled = np.repeat(zones[1].audio, 2)
    other_rate = replace(zones[1], audio=doubled, rate=2 * zones[1].rate)
    assert measure_copies(take_prints([other_rate]), prints) == 1


def test_the_share_is_of_the_samples_that_are_asked_about(make_zone):
    zones = [make_zone(pitch) for pitch in (50.0, 55.0, 61.0)]
    noise = np.random.default_rng(0).standard_normal(len(zones[0].audio)).astype(np.float32)
    mixed = take_prints([zones[0], replace(zones[0], audio=noise)])
    assert measure_copies(mixed, take_prints(zones)) == pytest.approx(0.5)


def test_nothing_has_no_copies(make_zone):
    nothing = take_prints([])
    assert nothing.shape == (0, PRINT_SAMPLES)
    assert measure_copies(nothing, take_prints([make_zone()])) == 0
    assert measure_copies(take_prints([make_zone()]), nothing) == 0
