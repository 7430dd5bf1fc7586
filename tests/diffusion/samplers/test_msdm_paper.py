"""The paper's samplers against a straight transcription of its loops, given the same noise."""

import math

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition, mixture_condition
from msdm_cli.diffusion.samplers import SAMPLERS, Problem
from msdm_cli.diffusion.samplers.msdm_paper import DiracOptions
from msdm_cli.diffusion.schedule import karras_sigmas

SHAPE = (2, 4, 60)
NUM_STEPS = 6


def draw(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


def noise(number):
    return draw(*SHAPE, seed=number)


class Denoiser:
    """Some smooth function that mixes stems and samples."""

    takes_mixture = False
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None):
        assert mixture is None
        return np.tanh(x + 0.3 * np.roll(x, 1, 1) - 0.2 * np.roll(x, 3, 2)) / (
            1 + sigma[:, :, None]
        )


def transcribed(
    differential, sigmas, s_churn, num_resamples, separates=False, source=None, mask=None
):
    """The published loop, with its draws numbered as ours are."""
    n = len(sigmas) - 1
    x = sigmas[0] * noise(0)
    for i in range(n):
        sigma = sigmas[i]
        sigma_next = sigmas[i + 1]
        base = 1 + i * (2 * num_resamples + 1)
        if source is not None:
            noisy_source = source + sigma * noise(base)
        for r in range(num_resamples):
            if source is not None:
                x = noisy_source * mask + x * ~mask
            gamma = min(s_churn / n, 2**0.5 - 1)
            sigma_hat = sigma * (gamma + 1)
            x = x + noise(base + 1 + 2 * r) * (sigma_hat**2 - sigma**2) ** 0.5
            d = differential(x, sigma_hat)
            x = x + d * (sigma_next - sigma_hat)
            if r < num_resamples - 1:
                variance = (
                    sigma**2 - sigma_next**2
                )  # their two loops differ in how they take the root
                x = x + noise(base + 2 + 2 * r) * (
                    math.sqrt(variance) if separates else variance**0.5
                )
    return x if source is None else source * mask + x * ~mask


def denoise(x, sigma):
    return Denoiser()(x, np.full(x.shape[:2], sigma))


def dirac(mixture, anchor):
    def differential(x, sigma):
        x[:, [anchor]] = mixture[:, None] - (
            x.sum(1, keepdims=True) - x[:, [anchor]]
        )  # in place, as published
        score = (x - denoise(x, sigma)) / sigma
        return np.stack([score[:, si] - score[:, anchor] for si in range(x.shape[1])], 1)

    return differential


def gaussian(mixture, scale):
    def differential(x, sigma):
        gamma = scale * sigma
        d = (x - denoise(x, sigma)) / sigma
        return d - sigma / (2 * gamma**2) * (mixture[:, None] - x.sum(1, keepdims=True))

    return differential


def unconditional(x, sigma):
    return (x - denoise(x, sigma)) / sigma


MIXTURE = draw(2, 60, seed=99)
SOURCE = draw(*SHAPE, seed=98)
MASK = np.broadcast_to(np.array([True, False, True, False])[None, :, None], SHAPE)
GENERATION = Condition()
IMPUTATION = Condition(values=SOURCE, known=MASK)
SEPARATION = Condition(mixture=MIXTURE)
# A condition, the sampler, and the arguments of the transcription.
CASES = {
    "generation": (GENERATION, "published", unconditional, {}),
    "imputation": (IMPUTATION, "published", unconditional, {"source": SOURCE, "mask": MASK}),
    "dirac": (SEPARATION, "dirac", dirac(MIXTURE, 0), {"separates": True}),
    "gaussian": (SEPARATION, "gaussian", gaussian(MIXTURE, 0.75), {"separates": True}),
}


def run(condition, sampler, **options):
    problem = Problem(condition, SHAPE, lambda number, _: noise(number), 1.0, 1)
    row = SAMPLERS[sampler]
    return row.draw(Denoiser(), problem, row.options(**options))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("num_resamples", [1, 2, 3])
@pytest.mark.parametrize("churn", [0.0, 20.0])
def test_it_is_the_published_loop_to_the_last_bit(case, num_resamples, churn):
    condition, sampler, differential, known = CASES[case]
    sigmas = {"sigma_min": 1e-2, "sigma_max": 1.0}
    found = run(
        condition,
        sampler,
        num_steps=NUM_STEPS,
        churn=churn,
        num_resamples=num_resamples,
        **sigmas,
    )
    schedule = karras_sigmas(NUM_STEPS, **sigmas)
    expected = transcribed(differential, schedule, churn, num_resamples, **known)
    assert np.abs(found - condition.project(expected, sigmas["sigma_min"])).max() == 0


@pytest.mark.parametrize("anchor", [1, 3])
def test_the_anchor_may_be_any_stem(anchor):
    options = {"num_steps": NUM_STEPS, "sigma_min": 1e-2, "sigma_max": 1.0}
    found = run(SEPARATION, "dirac", churn=20.0, num_resamples=2, anchor=anchor, **options)
    schedule = karras_sigmas(**options)
    expected = transcribed(dirac(MIXTURE, anchor), schedule, 20.0, 2, separates=True)
    assert np.abs(found - SEPARATION.project(expected, 1e-2)).max() == 0
    others = run(SEPARATION, "dirac", churn=20.0, num_resamples=2, **options)
    assert np.abs(found - others).max() > 0.1


def test_an_anchor_that_is_no_stem_is_refused():
    with pytest.raises(ValueError, match="expected an anchor below 4, got 4"):
        run(SEPARATION, "dirac", num_steps=2, sigma_max=1.0, anchor=4)


@pytest.mark.parametrize(
    ("sampler", "options"),
    [
        ("dirac", {"anchor": -1}),
        ("dirac", {"churn": math.nan}),
        ("dirac", {"churn": math.inf}),
        ("dirac", {"churn": -1.0}),
        ("dirac", {"num_resamples": 0}),
        ("published", {"rho": 0.0}),
        ("published", {"rho": math.nan}),
        ("published", {"sigma_max": math.inf}),
        ("gaussian", {"mixture_scale": 0.0}),
        ("gaussian", {"mixture_scale": math.nan}),
    ],
)
def test_options_that_make_no_sense_are_refused(sampler, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SAMPLERS[sampler].options(**{"num_steps": 2, "sigma_max": 1.0} | options)


def test_they_compute_exactly_by_default():
    exact = {name for name, row in SAMPLERS.items() if row.exact}
    assert exact == {"dirac", "gaussian", "published"}


def test_known_samples_come_back_as_they_are():
    options = {"num_steps": NUM_STEPS, "sigma_min": 1e-2, "sigma_max": 1.0, "churn": 20.0}
    found = run(IMPUTATION, "published", **options)
    assert np.array_equal(found[MASK], SOURCE[MASK])


@pytest.mark.parametrize("sampler", ["dirac", "gaussian"])
def test_separated_stems_sum_to_the_mixture(sampler):
    found = run(SEPARATION, sampler, num_steps=40, sigma_min=1e-2, sigma_max=1.0)
    np.testing.assert_allclose(found.sum(1), MIXTURE, atol=1e-12)


def test_the_network_never_gets_the_mixture():
    class MixtureDenoiser(Denoiser):
        takes_mixture = True

    problem = Problem(SEPARATION, SHAPE, lambda number, _: noise(number), 1.0, 1)
    # Denoiser asserts that no mixture comes.
    SAMPLERS["dirac"].draw(MixtureDenoiser(), problem, DiracOptions(3, 1.0))


@pytest.mark.parametrize("name", ["dirac", "gaussian"])
def test_samplers_that_do_not_tell_the_network_what_is_known_refuse_it(name):
    condition = mixture_condition(draw(2, 60, seed=0), takes_mixture=False, absent=np.eye(4)[0] > 0)
    problem = Problem(condition, SHAPE, lambda number, sample: noise(number), 1.0, 1)
    sampler = SAMPLERS[name]
    with pytest.raises(ValueError, match=f"{name} expected no known stems"):
        sampler.draw(Denoiser(), problem, sampler.options(num_steps=2, sigma_max=1.0))
