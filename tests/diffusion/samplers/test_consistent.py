"""Oracles: Gaussian data, for which the denoiser, the ODE and the posterior have closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.samplers.consistent import sample_consistent
from msdm_cli.diffusion.schedule import karras_sigmas

VARIANCE = np.array([0.5, 1.0, 2.0])[None, :, None]


class GaussianDenoiser:
    """D(x; s) = v x / (v + s^2) for independent zero-mean samples of variance v per stem."""

    takes_mixture = False
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None):
        assert mixture is None
        return VARIANCE * x / (VARIANCE + sigma[:, :, None] ** 2)


def draw(*shape, seed=77):
    return np.random.default_rng(seed).standard_normal(shape)


def noise_of(shape, seed=0):
    draws = {}

    def noise(step):
        return draws.setdefault(step, draw(*shape, seed=seed * 1000 + step))

    return noise


def ode_error(num_steps):
    noise = noise_of((1, 3, 50))
    # The last step, to 0, has an error of first order in every method: it starts from 1e-4.
    sigmas = karras_sigmas(num_steps, 1e-4, 5.0)
    found = sample_consistent(GaussianDenoiser(), Condition(), sigmas, noise, eta=0.0)
    # dx/dsigma = x sigma / (v + sigma^2), so x(sigma) = x(s0) sqrt((v + sigma^2) / (v + s0^2)).
    exact = 5.0 * noise(0) * np.sqrt(VARIANCE / (VARIANCE + 25.0))
    return np.abs(found - exact).max()


def test_it_converges_to_the_ode_with_first_order():
    order = math.log2(ode_error(200) / ode_error(400))
    assert 0.85 < order < 1.15


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_samples_have_the_variance_that_theory_gives_them(eta):
    noise = noise_of((1, 3, 40_000))
    sigmas = karras_sigmas(30, 0.01, 30.0)
    drawn = sample_consistent(GaussianDenoiser(), Condition(), sigmas, noise, eta=eta)
    # A step is linear, so the variance has a recursion. Only for eta = 0 is it that of the data, up
    # to the error of Euler's method.
    variance = np.full_like(VARIANCE, 900.0)
    for sigma, sigma_next in pairwise(sigmas.tolist()):
        wiener = VARIANCE / (VARIANCE + sigma**2)
        kept = math.sqrt(1 - eta**2) * sigma_next / sigma
        variance = (wiener + kept * (1 - wiener)) ** 2 * variance + (eta * sigma_next) ** 2
    # Standard error of a variance of 40 000 draws: sqrt(2/n) = 0.7 %; five of them.
    np.testing.assert_allclose(drawn.var(-1), variance[:, :, 0], rtol=0.035)


def posterior_weights(transform, sigma):
    return (VARIANCE * sigma**2 / (VARIANCE + sigma**2))[..., None]


class Identity:
    """A transform that keeps samples as they are, in the shape of an STFT."""

    def __call__(self, x):
        return x[..., None]

    def inverse(self, transform):
        return transform[..., 0]


def test_conditioned_on_the_mixture_it_is_the_exact_posterior_mean():
    x = draw(1, 3, 20)
    sigma = 0.7
    mixture = draw(1, 20, seed=78)
    condition = Condition(mixture=mixture, stft=Identity(), weights=posterior_weights)
    found = condition.denoise(GaussianDenoiser(), x, sigma)
    # Stack the observations z = [x1 x2 x3 y] of each sample: E[x0 | z] = C_xz C_zz^-1 z.
    prior = np.diag(VARIANCE[0, :, 0])
    observe = np.concatenate((np.eye(3), np.ones((1, 3))))
    noise = np.diag([sigma**2] * 3 + [1e-9])
    gain = prior @ observe.T @ np.linalg.inv(observe @ prior @ observe.T + noise)
    exact = gain @ np.concatenate((x[0], mixture))
    np.testing.assert_allclose(found[0], exact, atol=1e-7)


def test_from_nothing_but_the_mixture_one_call_is_the_wiener_filter():
    mixture = draw(1, 20)
    condition = Condition(mixture=mixture, stft=Identity(), weights=posterior_weights)
    found = condition.denoise(GaussianDenoiser(), np.zeros((1, 3, 20)), 1e4)
    np.testing.assert_allclose(found, mixture * VARIANCE / VARIANCE.sum(), atol=1e-6)


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("num_steps", [1, 7])
def test_stems_sum_to_the_mixture_and_known_stems_stay(eta, num_steps):
    shape = (2, 3, 64)
    mixture = draw(2, 64)
    values = draw(*shape, seed=78)
    known = np.zeros(shape, bool)
    known[:, 1] = True
    condition = Condition(mixture=mixture, values=values, known=known)
    drawn = sample_consistent(
        GaussianDenoiser(), condition, karras_sigmas(num_steps, 0.01, 5.0), noise_of(shape), eta=eta
    )
    assert np.array_equal(drawn[:, 1], values[:, 1])
    np.testing.assert_allclose(drawn.sum(1), mixture, atol=1e-12)


def test_a_known_stretch_of_a_stem_stays():
    shape = (1, 3, 64)
    values = draw(*shape)
    known = np.zeros(shape, bool)
    known[:, :, :32] = True
    condition = Condition(values=values, known=known)
    drawn = sample_consistent(
        GaussianDenoiser(), condition, karras_sigmas(5, 0.01, 5.0), noise_of(shape)
    )
    assert np.array_equal(drawn[..., :32], values[..., :32])
    assert not np.allclose(drawn[..., 32:], values[..., 32:])


def test_the_network_gets_a_known_stem_without_noise():
    seen = []

    class Spy(GaussianDenoiser):
        def __call__(self, x, sigma, mixture=None):
            seen.append((x.copy(), sigma.copy()))
            return super().__call__(x, sigma)

    shape = (1, 3, 16)
    values = draw(*shape)
    known = np.zeros(shape, bool)
    known[:, 0] = True
    sample_consistent(
        Spy(), Condition(values=values, known=known), karras_sigmas(4, 0.01, 5.0), noise_of(shape)
    )
    assert len(seen) == 4
    for x, sigma in seen:
        assert sigma[0, 0] == 0
        assert np.array_equal(x[0, 0], values[0, 0])


def test_a_schedule_that_does_not_end_in_zero_is_refused():
    with pytest.raises(ValueError, match="ends in 0"):
        sample_consistent(
            GaussianDenoiser(), Condition(), np.array([1.0, 0.5]), noise_of((1, 3, 4))
        )
