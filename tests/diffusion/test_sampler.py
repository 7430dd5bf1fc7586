"""Oracles: Gaussian data, for which the denoiser, the ODE and the posterior have closed forms."""

import math
from itertools import pairwise

import pytest
import torch

from msdm_cli.diffusion.conditioning import Condition
from msdm_cli.diffusion.sampler import sample
from msdm_cli.diffusion.schedule import karras_sigmas

VARIANCE = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)[None, :, None]


class GaussianDenoiser:
    """D(x; s) = v x / (v + s^2) for independent zero-mean samples of variance v per stem."""

    takes_mixture = False
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None):
        assert mixture is None
        return VARIANCE * x / (VARIANCE + sigma[:, :, None] ** 2)


def noise_of(shape, seed=0):
    draws = {}

    def noise(step):
        generator = torch.Generator().manual_seed(seed * 1000 + step)
        return draws.setdefault(step, torch.randn(shape, generator=generator, dtype=torch.float64))

    return noise


def ode_error(num_steps, solver="euler"):
    noise = noise_of((1, 3, 50))
    sigmas = karras_sigmas(num_steps, 1e-4, 5.0)  # the last step, to 0, is of order one in every solver
    found = sample(GaussianDenoiser(), Condition(), sigmas, noise, eta=0.0, solver=solver)
    # dx/dsigma = x sigma / (v + sigma^2), so x(sigma) = x(s0) sqrt((v + sigma^2) / (v + s0^2)).
    exact = 5.0 * noise(0) * torch.sqrt(VARIANCE / (VARIANCE + 25.0))
    return (found - exact).abs().max().item()


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("dpmpp_2m", 2)])
def test_a_solver_converges_with_its_order(solver, order):
    found = math.log2(ode_error(200, solver) / ode_error(400, solver))
    assert order - 0.15 < found < order + 0.15


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_samples_have_the_variance_that_theory_gives_them(eta):
    noise = noise_of((1, 3, 40_000))
    sigmas = karras_sigmas(30, 0.01, 30.0)
    drawn = sample(GaussianDenoiser(), Condition(), sigmas, noise, eta=eta)
    # A step is linear, so the variance has a recursion; that of the data, but for Euler's bias, only if eta is 0.
    variance = torch.full_like(VARIANCE, 900.0)
    for sigma, sigma_next in pairwise(sigmas.tolist()):
        wiener = VARIANCE / (VARIANCE + sigma**2)
        kept = math.sqrt(1 - eta**2) * sigma_next / sigma
        variance = (wiener + kept * (1 - wiener)) ** 2 * variance + (eta * sigma_next) ** 2
    # Standard error of a variance of 40 000 draws: sqrt(2/n) = 0.7 %; five of them.
    torch.testing.assert_close(drawn.var(-1), variance[:, :, 0], rtol=0.035, atol=0)


def posterior_weights(transform, sigma):
    return (VARIANCE * sigma**2 / (VARIANCE + sigma**2))[..., None, None]


class Identity(torch.nn.Module):
    """A transform that keeps samples as they are, in the shape of an STFT."""

    def forward(self, x):
        return x[..., None, None, :]

    def inverse(self, parts):
        return parts[..., 0, 0, :]


def test_conditioned_on_the_mixture_it_is_the_exact_posterior_mean():
    x, sigma, mixture = torch.randn(1, 3, 20, dtype=torch.float64), 0.7, torch.randn(1, 20, dtype=torch.float64)
    condition = Condition(mixture=mixture, stft=Identity(), weights=posterior_weights)
    found = condition.denoise(GaussianDenoiser(), x, sigma)
    # Stack the observations z = [x1 x2 x3 y] of each sample: E[x0 | z] = C_xz C_zz^-1 z.
    prior = torch.diag(VARIANCE[0, :, 0])
    observe = torch.cat((torch.eye(3), torch.ones(1, 3))).double()
    noise = torch.diag(torch.tensor([sigma**2] * 3 + [1e-9]).double())
    gain = prior @ observe.T @ torch.linalg.inv(observe @ prior @ observe.T + noise)
    exact = gain @ torch.cat((x[0], mixture))
    torch.testing.assert_close(found[0], exact, atol=1e-7, rtol=0)


def test_from_nothing_but_the_mixture_one_call_is_the_wiener_filter():
    mixture = torch.randn(1, 20, dtype=torch.float64)
    condition = Condition(mixture=mixture, stft=Identity(), weights=posterior_weights)
    found = condition.denoise(GaussianDenoiser(), torch.zeros(1, 3, 20, dtype=torch.float64), 1e4)
    torch.testing.assert_close(found, mixture * VARIANCE / VARIANCE.sum(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("num_steps", [1, 7])
def test_stems_sum_to_the_mixture_and_known_stems_stay(eta, num_steps):
    shape = (2, 3, 64)
    mixture, values = torch.randn(2, 64, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)
    known = torch.zeros(shape, dtype=torch.bool)
    known[:, 1] = True
    condition = Condition(mixture=mixture, values=values, known=known)
    drawn = sample(GaussianDenoiser(), condition, karras_sigmas(num_steps, 0.01, 5.0), noise_of(shape), eta=eta)
    assert torch.equal(drawn[:, 1], values[:, 1])
    torch.testing.assert_close(drawn.sum(1), mixture, atol=1e-12, rtol=0)


def test_a_known_stretch_of_a_stem_stays():
    shape = (1, 3, 64)
    values, known = torch.randn(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.bool)
    known[:, :, :32] = True
    condition = Condition(values=values, known=known)
    drawn = sample(GaussianDenoiser(), condition, karras_sigmas(5, 0.01, 5.0), noise_of(shape))
    assert torch.equal(drawn[..., :32], values[..., :32])
    assert not torch.allclose(drawn[..., 32:], values[..., 32:])


def test_the_network_is_told_that_a_known_stem_has_no_noise():
    seen = []

    class Spy(GaussianDenoiser):
        def __call__(self, x, sigma, mixture=None):
            seen.append((x.clone(), sigma.clone()))
            return super().__call__(x, sigma)

    shape = (1, 3, 16)
    values, known = torch.randn(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.bool)
    known[:, 0] = True
    sample(Spy(), Condition(values=values, known=known), karras_sigmas(4, 0.01, 5.0), noise_of(shape))
    assert len(seen) == 4
    for x, sigma in seen:
        assert sigma[0, 0] == 0
        assert torch.equal(x[0, 0], values[0, 0])


def test_the_solver_of_second_order_keeps_what_is_known():
    shape = (1, 3, 64)
    mixture = torch.randn(1, 64, dtype=torch.float64)
    sigmas, noise = karras_sigmas(7, 0.01, 5.0), noise_of(shape)
    drawn = sample(GaussianDenoiser(), Condition(mixture=mixture), sigmas, noise, eta=0.0, solver="dpmpp_2m")
    torch.testing.assert_close(drawn.sum(1), mixture, atol=1e-12, rtol=0)


def test_heun_takes_no_new_noise():
    sigmas = karras_sigmas(4, 0.01, 5.0)
    with pytest.raises(ValueError, match="eta 0 for heun"):
        sample(GaussianDenoiser(), Condition(), sigmas, noise_of((1, 3, 4)), eta=0.5, solver="heun")


def test_a_schedule_that_does_not_end_in_zero_is_refused():
    with pytest.raises(ValueError, match="ends in 0"):
        sample(GaussianDenoiser(), Condition(), torch.tensor([1.0, 0.5]), noise_of((1, 3, 4)))
