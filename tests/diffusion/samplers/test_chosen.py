"""Two Gaussian stems with a correlation: what they tell of each other has a closed form."""

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Problem
from msdm_cli.diffusion.samplers.chosen import ChosenOptions, draw_chosen, measure_information
from msdm_cli.diffusion.samplers.consistent import sample_consistent
from msdm_cli.diffusion.schedule import karras_sigmas

SIGMA, NOTHING = 2.0, 1e6


class Pair:
    """The posterior mean of two stems of variance 1, at every sample, with a noise level each."""

    takes_mixture = False
    shares_sigma = False

    def __init__(self, correlation):
        self.prior = np.array([[1.0, correlation], [correlation, 1.0]])

    def __call__(self, x, sigma, mixture=None):
        assert mixture is None
        noise = np.square(sigma.astype(np.float64))[:, :, None] * np.eye(2)
        return self.prior @ np.linalg.solve(self.prior + noise, x.astype(np.float64))

    def free(self, x, sigma):
        return self(x, sigma)


class Known(Pair):
    """It holds the second stem at what is known of it, unless it is free."""

    def __init__(self, correlation, known):
        super().__init__(correlation)
        self.known = known

    def __call__(self, x, sigma, mixture=None):
        seen = np.stack((x[:, 0], np.broadcast_to(self.known, x[:, 1].shape)), 1)
        return super().__call__(seen, sigma * [1, 0])

    def free(self, x, sigma):
        return Pair.__call__(self, x, sigma)


def draw(correlation, length, seed=0):
    normal = np.random.default_rng(seed).standard_normal((2, length))
    return (np.linalg.cholesky(Pair(correlation).prior) @ normal)[None]


def unit_noise(length):
    def noise(step, sample):
        return np.random.default_rng((step, sample)).standard_normal((1, 2, length))

    return noise


@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.9])
def test_information_is_that_of_gaussians(correlation):
    length = 200_000
    x = draw(correlation, length)
    noise = np.random.default_rng(1).standard_normal(x.shape)
    found = measure_information(Pair(correlation), x, noise, (SIGMA, NOTHING)) / length
    # Errors of Wiener filters: of variance 1 alone, and of 1 - r^2 beside the other stem.
    alone, among = (v / (v + SIGMA**2) for v in (1, 1 - correlation**2))
    assert found == pytest.approx(2 * (alone - among), abs=5e-3)


def test_stems_that_go_together_tell_more_than_those_of_two_songs():
    noise = np.random.default_rng(1).standard_normal((1, 2, 2000))
    own = draw(0.8, 2000)
    others = np.stack((own[:, 0], draw(0.8, 2000, seed=5)[:, 1]), 1)
    told = [measure_information(Pair(0.8), x, noise, (SIGMA, NOTHING)) for x in (own, others)]
    assert told[0] > 0 > told[1]


def draw_candidates(denoiser, problem, options):
    sigmas = karras_sigmas(options.num_steps, options.sigma_min, options.sigma_max, options.rho)
    return [
        sample_consistent(
            denoiser,
            problem.condition,
            sigmas,
            lambda step, index=index: problem.noise(step, index),
            eta=options.eta,
        )
        for index in range(options.candidates)
    ]


def test_the_candidate_that_goes_best_with_what_is_known_is_kept():
    length = 40
    # A weak prior, so that the candidates differ in how well they go with the known stem.
    denoiser = Known(0.6, draw(0.6, length)[0, 1])
    problem = Problem(Condition(), (1, 2, length), unit_noise(length), 10.0, 1)
    options = ChosenOptions(8, 50.0, sigma_min=0.01, rho=5.0, eta=0.5, candidates=6, sigma=SIGMA)
    kept = draw_chosen(denoiser, problem, options)
    candidates = draw_candidates(denoiser, problem, options)
    own, common = (
        [
            measure_information(
                denoiser, x, problem.noise(options.num_steps, sample), (SIGMA, 50.0)
            )
            for sample, x in zip(samples, candidates, strict=True)
        ]
        for samples in (range(options.candidates), [0] * options.candidates)
    )
    np.testing.assert_array_equal(kept, candidates[int(np.argmax(common))])
    # With noise of its own for each, another one would be kept.
    assert np.argmax(own) != np.argmax(common)


def test_one_candidate_is_our_sampler():
    problem = Problem(Condition(), (1, 2, 30), unit_noise(30), 10.0, 1)
    shared = {"num_steps": 5, "sigma_max": 50.0, "eta": 0.6}
    chosen = Preset.from_json({"sampler": "chosen", "candidates": 1, **shared})
    plain = Preset.from_json({"sampler": "consistent", **shared})
    drawn = [
        SAMPLERS[preset.sampler].draw(Pair(0.5), problem, preset.options)
        for preset in (chosen, plain)
    ]
    np.testing.assert_allclose(*drawn, rtol=1e-6)
    assert (chosen.calls, plain.calls) == (9, 5)
    assert chosen.with_steps(9).calls == 13
    assert chosen.uses_noise


def test_it_refuses_what_it_cannot_compare():
    options = ChosenOptions(3, 50.0)

    class Bound:
        takes_mixture = shares_sigma = False

        def __call__(self, x, sigma, mixture=None):
            return x

    for denoiser, shape, words in (
        (Bound(), (1, 2, 4), "network that draws sketches"),
        (Pair(0.5), (2, 2, 4), "one item of two stems"),
        (Pair(0.5), (1, 1, 4), "one item of two stems"),
    ):
        problem = Problem(Condition(), shape, unit_noise(4), 10.0, 1)
        with pytest.raises(ValueError, match=words):
            draw_chosen(denoiser, problem, options)


@pytest.mark.parametrize(
    "wrong", [{"candidates": 0}, {"eta": 1.5}, {"sigma": 0.0}, {"sigma": 50.0}, {"num_steps": 0}]
)
def test_options_are_checked(wrong):
    with pytest.raises(ValueError, match="expected"):
        ChosenOptions(**{"num_steps": 3, "sigma_max": 50.0, **wrong})
