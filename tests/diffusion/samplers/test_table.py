"""The public table of samplers, with a toy sampler that a test adds."""

from dataclasses import dataclass

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Problem, Sampler

SHAPE = (1, 3, 40)
MIXTURE = np.random.default_rng(0).standard_normal((1, 40), np.float32)


class HalvingDenoiser:
    takes_mixture = False
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None):
        return x / 2

    def free(self, x, sigma):
        return self(x, sigma)


def noise(number, sample):
    return np.random.default_rng((number, sample)).standard_normal(SHAPE, np.float32)


def problem(condition=None):
    return Problem(condition or Condition(), SHAPE, noise, sigma_max=10.0, length_multiple=8)


def draw(preset, condition=None):
    asked = problem(condition)
    return SAMPLERS[preset.sampler].draw(HalvingDenoiser(), asked, preset.options)


@dataclass(frozen=True)
class RepeatOptions:
    """Options of a sampler that denoises the same noise several times."""

    num_steps: int = 1

    def __post_init__(self):
        if self.num_steps < 1:
            raise ValueError(f"expected num_steps >= 1, got {self.num_steps}")

    @property
    def calls(self):
        return self.num_steps

    @property
    def uses_noise(self):
        return True


def repeat(denoiser, problem, options):
    x = problem.noise(0, 0)
    for _ in range(options.num_steps):
        x = problem.condition.denoise(denoiser, x, problem.sigma_max)
    return x


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(SAMPLERS, "toy", Sampler("toy", RepeatOptions, repeat))


@pytest.mark.usefixtures("toy")
def test_a_new_sampler_is_one_row():
    preset = Preset.from_json({"sampler": "toy", "num_steps": 3})
    assert preset.calls == 3
    assert preset.uses_noise
    np.testing.assert_array_equal(draw(preset), noise(0, 0) / 8)
    np.testing.assert_array_equal(draw(preset.with_steps(1)), noise(0, 0) / 2)
    with pytest.raises(ValueError, match="num_steps >= 1"):
        Preset.from_json({"sampler": "toy", "num_steps": 0})


PRESETS = {
    "regression": {"estimates": 2},
    "consistent": {"num_steps": 3, "sigma_max": 5.0, "samples": 2, "warm_start": True},
    "chosen": {"num_steps": 3, "sigma_max": 50.0, "candidates": 2},
    "dirac": {"num_steps": 30, "sigma_max": 1.0, "churn": 20.0, "num_resamples": 2},
    "gaussian": {"num_steps": 30, "sigma_max": 1.0, "mixture_scale": 0.5},
    "published": {"num_steps": 4, "sigma_max": 20.0, "num_resamples": 3},
    "gibbs": {"num_steps": 5},
}
CALLS = {
    "regression": 2,
    "consistent": 7,
    "chosen": 14,
    "dirac": 60,
    "gaussian": 30,
    "published": 12,
    "gibbs": 6,
}


def test_every_sampler_has_a_case_here():
    assert PRESETS.keys() == CALLS.keys() == SAMPLERS.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_the_stated_calls_are_the_calls_that_are_made(name):
    class CountingDenoiser(HalvingDenoiser):
        count = 0

        def __call__(self, x, sigma, mixture=None):
            self.count += 1
            return super().__call__(x, sigma)

    preset = Preset.from_json({"sampler": name, **PRESETS[name]})
    denoiser = CountingDenoiser()
    condition = Condition(mixture=MIXTURE) if SAMPLERS[name].with_mixture else Condition()
    SAMPLERS[name].draw(denoiser, problem(condition), preset.options)
    assert denoiser.count == preset.calls == CALLS[name]


@pytest.mark.parametrize("name", PRESETS)
def test_a_sampler_says_whether_the_seed_matters(name):
    preset = Preset.from_json({"sampler": name, **PRESETS[name]})
    condition = Condition(mixture=MIXTURE) if SAMPLERS[name].with_mixture else Condition()
    asked = [
        Problem(
            condition,
            SHAPE,
            lambda number, sample, seed=seed: noise(number + seed, sample),
            10.0,
            8,
        )
        for seed in (0, 1000)
    ]
    one, other = (SAMPLERS[name].draw(HalvingDenoiser(), p, preset.options) for p in asked)
    assert np.array_equal(one, other) != preset.uses_noise
    # The stems sum to the mixture up to float32 rounding, whatever the sampler.
    if condition.mixture is not None:
        np.testing.assert_allclose(one.sum(1), MIXTURE, atol=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_json_describes_a_preset_completely(name):
    preset = Preset.from_json({"sampler": name, **PRESETS[name]})
    assert Preset.from_json(preset.to_json()) == preset


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "expected a sampler of regression, .*, got None"),
        ({"sampler": "euler"}, "expected a sampler"),
        ({"sampler": "dirac", "num_steps": 3}, "missing required field `sigma_max`"),
        ({"sampler": "dirac", "num_steps": "3", "sigma_max": 1.0}, "Expected `int`"),
        ({"sampler": "dirac", "num_steps": 3, "sigma_max": 1.0, "eta": 0.0}, "got eta"),
        ({"sampler": "dirac", "num_steps": 0, "sigma_max": 1.0}, "num_steps >= 1"),
        ({"sampler": "dirac", "num_steps": 3, "sigma_max": 1e-9}, "sigma_min <= sigma_max"),
        ({"sampler": "dirac", "num_steps": 3, "sigma_max": 1.0, "num_resamples": 0}, ">= 1"),
        ({"sampler": "gaussian", "num_steps": 3, "sigma_max": 1.0, "mixture_scale": 0}, "> 0"),
        ({"sampler": "consistent", "num_steps": 3, "sigma_max": 1.0, "samples": 0}, ">= 1"),
        ({"sampler": "consistent", "num_steps": 3, "sigma_max": 1.0, "eta": 1.5}, "from 0 to 1"),
        ({"sampler": "regression", "estimates": 0}, "estimates >= 1"),
        ({"sampler": "regression", "estimates": 10**9}, "up to 1000000 network calls, got 10+"),
        (
            {"sampler": "dirac", "num_steps": 10**5, "sigma_max": 1.0, "num_resamples": 10**5},
            "up to 1000000 network calls",
        ),
    ],
)
def test_what_is_no_preset_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Preset.from_json(fields)


def test_options_of_another_sampler_are_refused():
    options = Preset.from_json({"sampler": "regression"}).options
    with pytest.raises(TypeError, match="expected ConsistentOptions, got RegressionOptions"):
        Preset("consistent", options)


def test_some_options_may_be_replaced():
    preset = Preset.from_json({"sampler": "gaussian", "num_steps": 3, "sigma_max": 1.0})
    changed = preset.with_options({"churn": 2, "mixture_scale": 0.5, "num_resamples": 4})
    assert preset.with_options({}) == preset
    assert (changed.options.churn, changed.options.mixture_scale) == (2.0, 0.5)
    assert changed.calls == 12
    assert changed.options.sigma_max == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anchor": 1}, "options of num_steps, .*mixture_scale for gaussian, got anchor"),
        ({"num_resamples": 0}, "num_resamples >= 1"),
        ({"churn": "much"}, "churn"),
    ],
)
def test_options_that_a_sampler_does_not_have_are_refused(options, message):
    preset = Preset.from_json({"sampler": "gaussian", "num_steps": 3, "sigma_max": 1.0})
    with pytest.raises(ValueError, match=message):
        preset.with_options(options)


def test_steps_replace_those_of_the_preset():
    preset = Preset.from_json({"sampler": "consistent", "num_steps": 3, "sigma_max": 1.0})
    assert preset.with_steps(None) is preset
    assert preset.with_steps(9).options.num_steps == 9
    assert preset.with_steps(9).options.sigma_max == 1.0


@pytest.mark.parametrize(
    ("name", "condition", "message"),
    [
        ("dirac", Condition(), "dirac expected a mixture, got none"),
        ("gaussian", Condition(), "gaussian expected a mixture, got none"),
        ("published", Condition(mixture=MIXTURE), "published expected no mixture, got one"),
    ],
)
def test_a_condition_that_a_sampler_does_not_take_is_refused(name, condition, message):
    preset = Preset.from_json({"sampler": name, **PRESETS[name]})
    with pytest.raises(ValueError, match=message):
        draw(preset, condition)
