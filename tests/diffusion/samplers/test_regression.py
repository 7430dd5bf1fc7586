"""The estimate from the largest noise level."""

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition, mixture_condition
from msdm_cli.diffusion.moved import MovedDenoiser
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Problem
from msdm_cli.diffusion.turned import ANGLES, TurnedDenoiser, combine

SHAPE = (2, 3, 64)
SIGMA_MAX = 5.0
MIXTURE = np.random.default_rng(0).standard_normal((2, 64), np.float32)


class FramewiseDenoiser:
    """Gives each stem a share of the mixture that depends on the position in the chunk."""

    takes_mixture = True
    shares_sigma = False

    def __init__(self):
        self.inputs = []

    def __call__(self, x, sigma, mixture=None):
        self.inputs.append((x, sigma))
        return (np.arange(x.shape[-1], dtype=np.float32) % 7 * mixture)[:, None] * np.float32(
            0.1
        ) + 0 * x


def forbidden_noise(number, sample):
    raise AssertionError("the regression draws no noise")


def draw(denoiser, condition, estimates, multiple=16, shape=SHAPE, **options):
    problem = Problem(condition, shape, forbidden_noise, SIGMA_MAX, multiple)
    preset = Preset.from_json({"sampler": "regression", "estimates": estimates, **options})
    return SAMPLERS["regression"].draw(denoiser, problem, preset.options)


def test_it_asks_for_silence_at_the_largest_noise_level():
    denoiser = FramewiseDenoiser()
    condition = Condition(mixture=MIXTURE)
    found = draw(denoiser, condition, 1)
    ((x, sigma),) = denoiser.inputs
    assert not x.any()
    assert (sigma == SIGMA_MAX).all()
    expected = condition.project(FramewiseDenoiser()(x, sigma, MIXTURE), SIGMA_MAX)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("estimates", [2, 4])
def test_it_is_the_mean_over_moved_music(estimates):
    condition = Condition(mixture=MIXTURE)
    silence = np.zeros(SHAPE, np.float32)
    expected = np.mean(
        [
            condition.denoise(MovedDenoiser(FramewiseDenoiser(), index, 16), silence, SIGMA_MAX)
            for index in range(estimates)
        ],
        0,
    )
    found = draw(FramewiseDenoiser(), condition, estimates)
    assert found.dtype == np.float32
    # Float32 rounding of a sum of a few numbers of the order of 1.
    np.testing.assert_allclose(found, expected, atol=1e-6)


class SquaringDenoiser(FramewiseDenoiser):
    """Its stems depend on which channels it gets, and do not sum to the mixture."""

    def __call__(self, x, sigma, mixture=None):
        return np.stack([mixture**2, mixture, -mixture], 1)


def test_estimates_of_stereo_music_may_be_turned():
    condition = Condition(mixture=MIXTURE)
    silence = np.zeros(SHAPE, np.float32)
    estimates = []
    for index, angle in enumerate(ANGLES):
        turned = TurnedDenoiser(SquaringDenoiser(), angle)
        moved = MovedDenoiser(turned, index, 16)
        estimates.append(condition.denoise(moved, silence, SIGMA_MAX))
    found = draw(SquaringDenoiser(), condition, 4, turned=True)
    expected = condition.project(combine(estimates, ANGLES), SIGMA_MAX)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(1), MIXTURE, atol=1e-5)
    assert np.abs(found - draw(SquaringDenoiser(), condition, 4)).max() > 0.01


@pytest.mark.parametrize("mixture", [MIXTURE[:1], np.repeat(MIXTURE[:1], 2, 0)])
def test_music_that_is_not_stereo_is_not_turned(mixture):
    condition = Condition(mixture=mixture)
    shape = (len(mixture), *SHAPE[1:])
    as_it_is, turned = (
        draw(SquaringDenoiser(), condition, 2, turned=turned, shape=shape)
        for turned in (False, True)
    )
    np.testing.assert_array_equal(turned, as_it_is)


def test_absent_stems_stay_silent_in_turned_music():
    absent = np.array([False, True, False])
    condition = mixture_condition(MIXTURE, takes_mixture=True, absent=absent)
    found = draw(SquaringDenoiser(), condition, 2, turned=True)
    assert not found[:, 1].any()
    np.testing.assert_allclose(found.sum(1), MIXTURE, atol=1e-5)


def test_known_stems_come_back_as_they_are():
    values = np.random.default_rng(1).standard_normal(SHAPE, np.float32)
    known = np.zeros(SHAPE, bool)
    known[:, 1] = True
    condition = Condition(mixture=MIXTURE, values=values, known=known)
    denoiser = FramewiseDenoiser()
    found = draw(denoiser, condition, 1)
    np.testing.assert_array_equal(found[:, 1], values[:, 1])
    x, sigma = denoiser.inputs[0]
    np.testing.assert_array_equal(x[:, 1], values[:, 1])
    assert (sigma[:, 1] == 0).all()


def test_with_steps_it_starts_the_consistent_sampler():
    preset = Preset.from_json({"sampler": "regression", "estimates": 4, "sigma_max": 2.0})
    refined = preset.with_steps(3)
    assert (refined.sampler, refined.calls) == ("consistent", 3 + 1)
    assert refined.options.warm_start
    assert refined.options.sigma_max == 2.0
    assert preset.with_steps(None) is preset


@pytest.mark.parametrize("estimates", [1, 4])
def test_an_absent_stem_is_silent_and_has_no_noise_in_every_estimate(estimates):
    absent = np.array([False, True, False])
    condition = mixture_condition(MIXTURE, takes_mixture=True, absent=absent)
    denoiser = FramewiseDenoiser()
    found = draw(denoiser, condition, estimates, multiple=1)
    assert len(denoiser.inputs) == estimates
    assert len({x.shape[-1] for x, _ in denoiser.inputs}) == min(estimates, 3)  # slower, faster
    for x, sigma in denoiser.inputs:
        assert not x.any()
        np.testing.assert_array_equal(sigma, [[SIGMA_MAX, 0, SIGMA_MAX]] * 2)
    assert not found[:, 1].any()
    # Single precision: sums of a few numbers of the order of 1.
    np.testing.assert_allclose(found.sum(1), MIXTURE, atol=1e-6)
    # The stems have the same estimate, and so the same share of what it leaves of the mixture.
    np.testing.assert_allclose(found[:, 0], MIXTURE / 2, atol=1e-6)
    np.testing.assert_allclose(found[:, 2], MIXTURE / 2, atol=1e-6)
