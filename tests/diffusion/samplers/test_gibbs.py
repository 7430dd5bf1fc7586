"""Gibbs sampling of Gaussian stems, whose conditional means are known in closed form."""

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition, mixture_condition
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Problem

SHAPE = (1, 3, 2000)
SD = np.array([1.0, 2.0, 0.5], np.float32)
SIGMA_MAX = 1e3
STEMS = np.random.default_rng(0).standard_normal(SHAPE, np.float32) * SD[:, None]
MIXTURE = STEMS.sum(1)


class GaussianDenoiser:
    """The posterior mean, but for an error in its first answer.

    Args:
        error: Added to the first stem of that answer, and taken from the second.
    """

    takes_mixture = True
    shares_sigma = False

    def __init__(self, error=0.0):
        self.error = error
        self.levels = []

    def __call__(self, x, sigma, mixture=None):
        self.levels.append(sigma.copy())
        variance, noise = SD[:, None] ** 2, sigma[:, :, None] ** 2
        mean = variance / (variance + noise) * x
        left = variance * noise / (variance + noise)
        mean = mean + left / left.sum(1, keepdims=True) * (mixture - mean.sum(1))[:, None]
        if len(self.levels) == 1:
            mean += self.error * np.array([1, -1, 0], np.float32)[:, None]
        return mean.astype(np.float32)


def noise(step, sample):
    return np.random.default_rng(step).standard_normal(SHAPE, np.float32)


def draw(denoiser, num_steps, sigma=0.5, condition=None):
    condition = condition or Condition(mixture=MIXTURE)
    problem = Problem(condition, SHAPE, noise, SIGMA_MAX, length_multiple=1)
    preset = Preset.from_json({"sampler": "gibbs", "num_steps": num_steps, "sigma": sigma})
    assert preset.uses_noise
    assert preset.calls == num_steps + 1
    return SAMPLERS["gibbs"].draw(denoiser, problem, preset.options)


def test_stems_are_asked_for_in_turn():
    denoiser = GaussianDenoiser()
    draw(denoiser, 4)
    assert len(denoiser.levels) == 5
    assert (denoiser.levels[0] == SIGMA_MAX).all()
    for step, levels in enumerate(denoiser.levels[1:]):
        expected = np.full((1, 3), 0.5, np.float32)
        expected[:, step % 3] = SIGMA_MAX
        np.testing.assert_array_equal(levels, expected)


def test_a_stem_that_is_known_has_no_turn_and_no_noise():
    class Listening(GaussianDenoiser):
        def __call__(self, x, sigma, mixture=None):
            assert not x[:, 1].any()
            return super().__call__(x, np.maximum(sigma, 1e-6), mixture)

    denoiser = Listening()
    absent = np.array([False, True, False])
    condition = mixture_condition(MIXTURE, takes_mixture=True, absent=absent)
    found = draw(denoiser, 2, condition=condition)
    expected = [[SIGMA_MAX, 0, SIGMA_MAX], [SIGMA_MAX, 0, 0.5], [0.5, 0, SIGMA_MAX]]
    np.testing.assert_allclose(np.concatenate(denoiser.levels), expected, atol=1e-6)
    assert not found[:, 1].any()
    np.testing.assert_allclose(found.sum(1), MIXTURE, atol=1e-4)


def test_an_error_of_the_first_answer_is_forgotten():
    error = 3.0
    truth = GaussianDenoiser()(0 * STEMS, np.full((1, 3), SIGMA_MAX, np.float32), MIXTURE)
    assert np.abs(draw(GaussianDenoiser(error), 1) - truth).mean((0, 2))[1] > 1
    found = draw(GaussianDenoiser(error), 300)
    # What is left is noise of mean 0: its mean over 2000 samples is below 5 of its deviations.
    bound = 5 * (found - truth).std() / np.sqrt(SHAPE[2])
    assert np.abs((found - truth).mean((0, 2))).max() < bound < 0.2


def test_the_stems_sum_to_the_mixture():
    np.testing.assert_allclose(draw(GaussianDenoiser(), 5).sum(1), MIXTURE, atol=1e-4)


def test_a_network_of_one_noise_level_is_refused():
    denoiser = GaussianDenoiser()
    denoiser.shares_sigma = True
    with pytest.raises(ValueError, match="a noise level for each stem"):
        draw(denoiser, 1)


@pytest.mark.parametrize("changed", [{"num_steps": 0}, {"sigma": 0}, {"sigma": float("nan")}])
def test_settings_of_nonsense_are_refused(changed):
    with pytest.raises(ValueError, match="num_steps >= 1"):
        Preset.from_json({"sampler": "gibbs", "num_steps": 1, **changed})
