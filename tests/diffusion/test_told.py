"""Denoisers with what they are told, against arithmetic."""

import numpy as np
import pytest

from msdm_cli.diffusion.told import SketchDenoiser

TOKENS, NUMBERS = 3, 2


class Recorder:
    """Gives its input plus the sum of what it is told, and keeps what it was asked."""

    shares_sigma = False

    def __init__(self):
        self.asked = []

    def __call__(self, x, sigma, mixture=None, told=None):
        self.asked.append((x, sigma, mixture, told))
        return x + told.sum((1, 2))[:, None, None]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
def values():
    return draw(1, 2, TOKENS * NUMBERS, seed=1)


@pytest.fixture
def known():
    """The first token of both stems, and all of the second one."""
    known = np.zeros((1, 2, TOKENS), bool)
    known[:, :, 0] = True
    known[:, 1] = True
    return known


def test_known_codes_reach_the_network_clean_and_at_level_0(values, known):
    network = Recorder()
    told = draw(1, TOKENS, 4)
    x, sigma = draw(1, 2, TOKENS * NUMBERS), np.array([[2.0, 5.0]], np.float32)
    SketchDenoiser(network, told, values, known)(x, sigma)
    ((seen, levels, mixture, heard),) = network.asked
    np.testing.assert_array_equal(levels, [[[0, 2, 2], [0, 0, 0]]])
    np.testing.assert_array_equal(seen[:, 0, :NUMBERS], values[:, 0, :NUMBERS])
    np.testing.assert_array_equal(seen[:, 0, NUMBERS:], x[:, 0, NUMBERS:])
    np.testing.assert_array_equal(seen[:, 1], values[:, 1])
    assert (seen.dtype, levels.dtype) == (np.float32, np.float32)
    assert mixture is None
    np.testing.assert_array_equal(heard, told)


@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_guidance_goes_on_from_the_estimate_without_controls(values, known, guidance):
    network = Recorder()
    told = draw(1, TOKENS, 4)
    x, sigma = draw(1, 2, TOKENS * NUMBERS), np.full((1, 2), 3.0, np.float32)
    guided = SketchDenoiser(network, told, values, known, guidance)(x, sigma)
    seen = np.where(np.repeat(known, NUMBERS, 2), values, x)
    # The network adds the sum of what it is told; without controls it adds nothing.
    np.testing.assert_allclose(guided, seen + guidance * told.sum(), rtol=1e-5, atol=1e-5)
    assert guided.shape == x.shape
    assert len(network.asked) == 1


def test_without_controls_there_is_nothing_to_guide_to(values, known):
    network = Recorder()
    x, sigma = draw(1, 2, TOKENS * NUMBERS), np.full((1, 2), 3.0, np.float32)
    SketchDenoiser(network, np.zeros((1, TOKENS, 4)), values, known, 3.0)(x, sigma)
    ((seen, levels, _, heard),) = network.asked
    assert len(seen) == len(levels) == len(heard) == 1


def test_what_is_known_and_asked_for_can_be_left_out(values, known):
    network = Recorder()
    denoiser = SketchDenoiser(network, draw(1, TOKENS, 4), values, known, 3.0)
    x, sigma = draw(5, 2, TOKENS * NUMBERS), np.arange(10, dtype=np.float32).reshape(5, 2)
    estimate = denoiser.free(x, sigma)
    ((seen, levels, mixture, heard),) = network.asked
    np.testing.assert_array_equal(estimate, x)
    np.testing.assert_array_equal(seen, x)
    np.testing.assert_array_equal(levels, np.repeat(sigma[:, :, None], TOKENS, 2))
    assert heard.shape == (5, TOKENS, 4)
    assert not heard.any()
    assert mixture is None
