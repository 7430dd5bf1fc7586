"""The loss of the embedded model."""

import numpy as np
import pytest
import torch
from conftest import TINY

from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.questions import QuestionMix
from scripts.train.score_matching import ScoreMatching

LENGTH = 4096


@pytest.fixture
def network():
    torch.manual_seed(0)
    return StftUnet(TINY)


def make_batch(count):
    generator = torch.Generator().manual_seed(1)
    stems = torch.randn(count, 4, LENGTH, generator=generator) * 0.1
    return stems, torch.randn(count, 4, LENGTH, generator=generator)


def test_untrained_it_is_that_of_the_static_wiener_filter(network):
    rng = np.random.default_rng(0)
    drawn = [QuestionMix().draw(rng, 4) for _ in range(8)]
    sigma = torch.tensor(np.stack([sigma for sigma, _ in drawn]), dtype=torch.float32)
    given = torch.tensor([float(flag) for _, flag in drawn])
    stems, noise = make_batch(8)
    loss = ScoreMatching(network)(stems, sigma, given, noise)
    # error / (error + FLOOR * mean error): below 1, and above what four equal errors give.
    assert (loss < 1).all()
    assert loss.mean() > 0.5


def test_refining_is_learned_from_the_networks_own_estimates(network, monkeypatch):
    asked = []
    answered = []
    answer = network.denoise_transform

    def watch(noisy, sigma, observed, given):
        asked.append((noisy, sigma))
        answered.append(answer(noisy, sigma, observed, given))
        return answered[-1]

    monkeypatch.setattr(network, "denoise_transform", watch)
    sigma = torch.tensor([torch.inf, 0.1, 0.1, 0.1])[:, None].repeat(1, 4)
    sigma[3, 1] = 0  # a known stem
    given = torch.tensor([1.0, 1.0, 0.0, 1.0])
    stems, noise = make_batch(4)
    ScoreMatching(network)(stems, sigma, given, noise)
    clean = network.stft(stems)
    unit = network.stft(noise)
    (absent, infinite), (noisy, _) = asked
    assert not absent.any()
    assert (infinite == network.config.sigma_max).all()
    torch.testing.assert_close(noisy[1:2], answered[0] + 0.1 * unit[1:2])
    torch.testing.assert_close(noisy[2], clean[2] + 0.1 * unit[2])
    torch.testing.assert_close(noisy[3, 1], clean[3, 1])
    assert not answered[0].requires_grad


def test_compiled_it_has_the_same_value_and_gradients(network):
    # The second item is refined: it takes two calls of the denoiser.
    sigma = torch.tensor([torch.inf, 0.1])[:, None].repeat(1, 4)
    stems, noise = make_batch(2)
    graphs = []
    results = []

    def keep(graph, inputs):
        del inputs
        graphs.append(graph)
        return graph.forward

    plain = ScoreMatching(network)
    compiled = ScoreMatching(network)
    compiled.compile(backend=keep)
    for loss in (plain, compiled):
        network.zero_grad()
        values = loss(stems, sigma, torch.ones(2), noise)
        values.sum().backward()
        gradients = [p.grad.clone() for p in network.parameters() if p.grad is not None]
        results.append([values, *gradients])
    assert graphs
    assert len(results[0]) > 10
    torch.testing.assert_close(results[1], results[0])
