"""Figures that choose a checkpoint."""

import numpy as np
import pytest
import torch
from conftest import STEMS, TINY

from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.corpus import Corpus
from scripts.train.validation import SIGMAS, Validation, expect_wiener_errors


@pytest.fixture(scope="module")
def validation(songs):
    return Validation(Corpus(songs / "validation", STEMS, 22050), 16384)


def test_the_error_of_a_wiener_filter_is_known_for_white_stems():
    deviation = 0.2
    rng = np.random.default_rng(0)
    white = rng.standard_normal((2, 4, 49152), dtype=np.float32) * np.float32(deviation)
    power = deviation**2
    noise = np.square(SIGMAS)
    errors = expect_wiener_errors(torch.from_numpy(white))
    assert errors.numpy() == pytest.approx(power * noise / (power + noise), rel=0.02)


def test_untrained_it_denoises_as_a_wiener_filter(validation):
    network = StftUnet(TINY)
    power = network.stft(validation.stems).square().sum(2).mean((0, -1))
    network.sd.copy_((power + 1e-10).sqrt())
    figures = validation.score(network)
    assert [figures[f"denoise_{sigma}"] for sigma in SIGMAS] == pytest.approx([1, 1, 1], rel=0.1)
    assert figures["figure"] == figures["si_sdri"]
    assert figures["si_sdri"] == pytest.approx(np.mean([figures[stem] for stem in STEMS]))
    assert network.training


def test_a_prior_alone_is_scored_without_a_mixture(songs):
    corpus = Corpus(songs / "validation", STEMS, 22050)
    figures = Validation(corpus, 8192, separates=False).score(StftUnet(TINY))
    assert "si_sdri" not in figures
    errors = [figures[f"denoise_{sigma}"] for sigma in SIGMAS]
    assert figures["figure"] == pytest.approx(-np.mean(errors))
