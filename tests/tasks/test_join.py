"""Joins of what is known and what is estimated."""

import numpy as np
import pytest

from msdm_cli.tasks.join import FADE, bridge, extrapolate, find_coefficients

RATE = 22050
JOIN = 3000
LENGTH = 6000


def tone(hz, phase=0.0):
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(LENGTH) / RATE + phase)).astype(np.float32)


def noise(seed):
    return 0.01 * np.random.default_rng(seed).standard_normal(LENGTH).astype(np.float32)


def join(truth, estimate, known):
    bridged = estimate.copy()
    bridge(bridged, known, truth)
    return np.where(known, truth, bridged)


KNOWN = {
    "before": np.arange(LENGTH) < JOIN,
    "after": np.arange(LENGTH) >= JOIN,
    "around": (np.arange(LENGTH) < JOIN) | (np.arange(LENGTH) >= JOIN + 1000),
}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("hz", [41.2, 100.0, 440.0])
def test_a_tone_goes_on_without_a_step_or_a_kink(known, hz):
    joined = join(tone(hz), tone(hz, phase=2.0), KNOWN[known])
    usual = abs(np.diff(tone(hz), 2)).max()
    # Two tones in opposite phase fade into each other.
    fading = 0.2 * (np.pi / FADE) ** 2 / 2
    assert abs(np.diff(joined, 2)).max() < 2 * usual + fading
    assert abs(joined).max() < 0.11


@pytest.mark.parametrize("known", KNOWN)
def test_noise_gets_no_pulse(known):
    for seed in range(10):
        joined = join(noise(seed), noise(100 + seed), KNOWN[known])
        assert abs(joined).max() <= max(abs(noise(seed)).max(), abs(noise(100 + seed)).max())


def test_the_estimate_stays_away_from_joins():
    estimate = noise(1)
    joined = join(noise(0), estimate, KNOWN["before"])
    np.testing.assert_array_equal(joined[JOIN + FADE :], estimate[JOIN + FADE :])
    np.testing.assert_array_equal(joined[:JOIN], noise(0)[:JOIN])


def test_a_tone_is_extrapolated():
    whole = tone(440.0)
    expected = extrapolate(whole[:JOIN], 200)
    np.testing.assert_allclose(expected, whole[JOIN : JOIN + 200], atol=0.02)


def test_the_coefficients_of_a_recursion_are_found():
    rng = np.random.default_rng(0)
    samples = np.zeros(20_000)
    for place in range(2, len(samples)):
        samples[place] = 1.5 * samples[place - 1] - 0.8 * samples[place - 2] + rng.normal()
    found = find_coefficients(samples)
    np.testing.assert_allclose(found, [1.5, -0.8, *np.zeros(len(found) - 2)], atol=0.06)


@pytest.mark.parametrize("samples", [[], [0.5], [0.5, -0.5], [0.0] * 5000, [0.1] * 5000])
def test_little_to_extrapolate_from_stays_within_bounds(samples):
    expected = extrapolate(np.array(samples, np.float32), 100)
    assert expected.shape == (100,)
    assert (abs(expected) <= max(map(abs, samples), default=0) + 1e-6).all()
