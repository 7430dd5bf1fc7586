"""The loss of the prior over sketches, the basis of its codes, and its figures."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import STEMS, TINY_PRIOR, tiny_prior

from msdm_cli.networks.sketch_prior import SketchPrior
from scripts.train import sketch_matching
from scripts.train.sketch_corpus import SketchCorpus
from scripts.train.sketch_matching import (
    SIGMAS,
    SketchMatching,
    SketchValidation,
    expect_error,
    measure_codes,
)

NUMBERS = TINY_PRIOR.coefficients
TOKENS = 64


def untrained():
    """A network with codes, whose learned part gives nothing."""
    network = tiny_prior()
    with torch.no_grad():
        network.leave.weight.zero_()
        network.leave.bias.zero_()
    return network


def draw_batch(network, count=8, seed=0):
    """Sketches whose codes are Gaussian with the network's variances, and noise."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 4, TOKENS, NUMBERS)
    codes = torch.randn(shape, generator=generator) * network.variance[:, None].sqrt()
    sketch = network.decode(codes.flatten(2))
    told = torch.zeros(count, TOKENS, TINY_PRIOR.controls)
    return sketch, told, torch.randn(count, 4, TOKENS * NUMBERS, generator=generator)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 10.0])
@torch.no_grad()
def test_the_wiener_filter_of_gaussian_codes_has_the_loss_1(sigma):
    network = untrained()
    sketch, told, noise = draw_batch(network)
    levels = torch.full((8, 4, TOKENS), sigma)
    loss = SketchMatching(network)(sketch, levels, told, noise)
    assert loss.shape == (8,)
    # 2048 tokens, of which one component of variance 4 has the largest share: 3 % of deviation.
    assert loss.mean().item() == pytest.approx(1, abs=0.1)


@torch.no_grad()
def test_what_is_known_or_absent_does_not_count():
    network = tiny_prior()
    sketch, told, noise = draw_batch(network, 2)
    levels = torch.full((2, 4, TOKENS), 2.0)
    levels[:, :, : TOKENS // 2] = 0
    levels[:, 1] = 0
    levels[:, 3] = torch.inf
    loss = SketchMatching(network)
    found = loss(sketch, levels, told, noise)
    clean = network.encode(sketch)
    sigma = levels.clamp_max(TINY_PRIOR.sigma_max)
    noisy = clean + sigma.repeat_interleave(NUMBERS, 2) * noise
    error = (network(noisy, sigma, None, told) - clean).unflatten(2, (TOKENS, NUMBERS)).square()
    lam = network.variance[[0, 2]]
    wiener = (lam * 4 / (lam + 4)).sum(1) * TOKENS / 2
    expected = (error[:, [0, 2], TOKENS // 2 :].sum((2, 3)) / wiener).mean(1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)


@torch.no_grad()
def test_a_question_of_nothing_has_no_loss():
    network = tiny_prior()
    sketch, told, noise = draw_batch(network, 1)
    assert SketchMatching(network)(sketch, torch.zeros(1, 4, TOKENS), told, noise).item() == 0


def test_the_expected_error_is_that_of_the_posterior():
    network = untrained()
    sigma = torch.tensor([0.1, 1.0, 5.0, 50.0])[:, None].expand(1, 4, 3)
    found = expect_error(network, sigma)
    for stem in range(4):
        expected = 1 / (1 / network.variance[stem] + 1 / sigma[0, stem, 0] ** 2)
        torch.testing.assert_close(found[0, stem], expected.sum().expand(3))


def test_a_step_lowers_the_loss():
    network = untrained()
    sketch, told, noise = draw_batch(network, 2)
    sketch = sketch[:, :, :, :4].repeat(1, 1, 1, TOKENS)  # each token is like the one before
    levels = torch.full((2, 4, TOKENS), 3.0)
    loss = SketchMatching(network)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        value = loss(sketch, levels, told, noise).mean()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.fixture(scope="module")
def corpus(songs):
    return SketchCorpus(songs / "train", STEMS)


@torch.no_grad()
def test_the_basis_is_that_of_the_principal_components(corpus):
    network = SketchPrior(TINY_PRIOR)
    measure_codes(corpus, network)
    for stem in range(4):
        basis = network.basis[stem]
        torch.testing.assert_close(basis.T @ basis, torch.eye(NUMBERS), atol=1e-5, rtol=0)
    sketches = [corpus.load(song)[0].astype(np.float32) for song in corpus.songs]
    whole = [sketch[:, :, : sketch.shape[2] // 4 * 4] for sketch in sketches]
    joined = torch.from_numpy(np.concatenate(whole, 2))[None]
    codes = network.encode(joined)[0].unflatten(1, (-1, NUMBERS))
    torch.testing.assert_close(codes.mean(1), torch.zeros(4, NUMBERS), atol=1e-3, rtol=0)
    torch.testing.assert_close(codes.var(1), network.variance, rtol=1e-3, atol=1e-3)
    assert (network.variance.diff(dim=1) <= 0).all()
    # No basis of as many components keeps more: singular values of the tokens say how much.
    cells = joined[0].unflatten(2, (-1, 4)).transpose(1, 2).flatten(2)
    left = (network.decode(codes.flatten(1)[None]) - joined).square().sum((0, 2, 3))
    for stem in range(4):
        values = torch.linalg.svdvals((cells[stem] - cells[stem].mean(0)).double())
        least = values[NUMBERS:].square().sum().item()
        assert left[stem].item() == pytest.approx(least, rel=1e-3)


@torch.no_grad()
def test_silent_stems_have_a_variance_to_divide_by():
    silent = SimpleNamespace(
        songs=["a"], load=lambda song: (np.full((4, 96, 400), -8, np.float16), None)
    )
    network = SketchPrior(TINY_PRIOR)
    measure_codes(silent, network)
    assert (network.variance > 0).all()
    assert (network.mean == -8).all()


@pytest.fixture
def validation(songs, monkeypatch):
    monkeypatch.setattr(sketch_matching, "CROPS", 4)
    return SketchValidation(SketchCorpus(songs / "validation", STEMS), 16)


def test_figures_of_a_network_that_has_learned_nothing(validation, corpus):
    network = untrained()
    with torch.no_grad():
        measure_codes(corpus, network)
    figures = validation.score(network)
    losses = [figures[f"loss_{sigma:g}"] for sigma in SIGMAS]
    # Other songs than the basis is of; their codes have other variances, but not by much.
    assert all(0.2 < loss < 5 for loss in losses)
    assert figures["figure"] == pytest.approx(-np.mean(losses))
    for stem in STEMS:
        assert figures[f"gap_{stem}"] == pytest.approx(0, abs=1e-3)
        assert figures[f"own_{stem}"] > 0
    assert network.training


def test_figures_hear_the_other_stems_the_controls_and_repeat(validation):
    network = tiny_prior(dataclasses.replace(TINY_PRIOR, joined=False))
    figures = validation.score(network)
    assert figures == validation.score(network)
    assert all(figures[f"gap_{stem}"] != 0 for stem in STEMS)
    validation.told = validation.told + 1
    assert figures["loss_5"] != validation.score(network)["loss_5"]
    assert figures["own_bass"] == validation.score(network)["own_bass"]
