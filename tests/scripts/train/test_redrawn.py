"""Sketches that a prior has drawn again."""

import shutil

import numpy as np
import pytest
import torch
from conftest import TINY_PRIOR
from safetensors.torch import load_file, save_file

from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig
from scripts.train.redrawn import LAST_SIGMA, STEPS, draw_again, open_prior

SHAPE = (4, 5 * 6)


class Knows:
    """Finds the same codes in whatever it is asked, and keeps that."""

    takes_mixture = False
    shares_sigma = False

    def __init__(self, codes):
        self.codes = codes
        self.asked = []

    def __call__(self, x, sigma, mixture=None):
        self.asked.append((x, sigma))
        return np.broadcast_to(self.codes, x.shape)


def test_a_prior_begins_with_noise_of_a_level_and_decides_the_rest():
    rng = np.random.default_rng(0)
    codes, others = rng.standard_normal((2, *SHAPE)).astype(np.float32)
    prior = Knows(others)
    drawn = draw_again(prior, codes, 50.0, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn, others)
    assert len(prior.asked) == STEPS
    levels = np.array([sigma for _, sigma in prior.asked])
    np.testing.assert_allclose(levels[0], 50.0)
    np.testing.assert_allclose(levels[-1], LAST_SIGMA)
    noise = (prior.asked[0][0][0] - codes) / 50.0
    # Of 120 numbers, within five deviations.
    assert noise.std() == pytest.approx(1, abs=0.35)


def test_the_generator_decides_what_is_drawn():
    prior = Knows(np.zeros(SHAPE, np.float32))
    codes = np.ones(SHAPE, np.float32)
    for seed in (1, 1, 2):
        draw_again(prior, codes, 2.0, np.random.default_rng(seed))
    one, again, other = (prior.asked[index * STEPS][0] for index in range(3))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


def test_a_prior_is_opened_with_the_config_beside_it(codes_path, tmp_path):
    prior = open_prior(str(codes_path))
    x = np.random.default_rng(0).standard_normal((1, *SHAPE)).astype(np.float32)
    sigma = np.full((1, 4), 2.0, np.float32)
    network = SketchPrior(TINY_PRIOR).eval()
    network.load_state_dict(load_file(codes_path))
    expected = network(torch.from_numpy(x), torch.from_numpy(sigma))
    np.testing.assert_allclose(prior(x, sigma), expected.detach(), atol=1e-5)
    assert open_prior(str(codes_path)) is prior
    # Elsewhere it has the config of the embedded model, and these weights do not fit it.
    shutil.copy(codes_path, tmp_path / "alone.safetensors")
    with pytest.raises(RuntimeError, match="size mismatch"):
        open_prior(str(tmp_path / "alone.safetensors"))


def test_a_prior_of_the_usual_size_needs_no_config(tmp_path):
    network = SketchPrior(SketchPriorConfig())
    save_file(network.state_dict(), tmp_path / "prior.safetensors")
    assert open_prior(str(tmp_path / "prior.safetensors")).network.config == network.config
