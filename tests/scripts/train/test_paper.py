"""The paper's way to train."""

import json

import numpy as np
import pytest
import torch
from conftest import STEMS

from scripts.train.corpus import Corpus
from scripts.train.paper import LogNormalSigma, PaperLoss, PaperValidation
from scripts.train.recipes import RECIPES

SIZE = {
    "channels": 32,
    "patch_factor": 4,
    "multipliers": [1, 1],
    "factors": [8],
    "num_blocks": [1],
    "attentions": [False],
}


@pytest.fixture
def network(tmp_path):
    torch.manual_seed(0)
    (tmp_path / "config.json").write_text(json.dumps(SIZE))
    return RECIPES["unet1d"].build(tmp_path / "config.json", len(STEMS))


def test_sigma_is_log_normal_and_shared():
    rng = np.random.default_rng(0)
    drawn = [LogNormalSigma().draw(rng, 4) for _ in range(2000)]
    assert not any(given for _, given in drawn)
    assert all(np.ptp(sigma) == 0 for sigma, _ in drawn)
    logarithms = np.log([sigma[0] for sigma, _ in drawn])
    assert logarithms.mean() == pytest.approx(-3.0, abs=0.1)
    assert logarithms.std() == pytest.approx(1.0, abs=0.05)


def test_the_validation_is_the_mean_loss(network, songs):
    validation = PaperValidation(Corpus(songs / "validation", STEMS, 22050), 8192)
    figures = validation.score(network)
    assert figures["figure"] == -figures["loss"]
    losses = []
    with torch.no_grad():
        for stems, sigma, noise in validation.items:
            shared = sigma.expand(1, len(STEMS))
            losses.append(PaperLoss(network)(stems[None], shared, torch.zeros(1), noise[None]))
    assert figures["loss"] == pytest.approx(torch.cat(losses).mean().item(), rel=1e-4)
