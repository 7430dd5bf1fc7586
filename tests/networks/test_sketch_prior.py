import dataclasses

import pytest
import torch
from conftest import TINY_PRIOR, stir, tiny_prior

from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig
from msdm_cli.tasks.controls import STYLES, count_features

BATCH, STEMS, TOKENS = 2, TINY_PRIOR.stems, 5
NUMBERS = TINY_PRIOR.coefficients

# Single precision: a few products of numbers of the order of 1.
ROUNDING = 1e-5

SHAPES = [TINY_PRIOR, dataclasses.replace(TINY_PRIOR, joined=False)]
IDS = ["joined", "per stem"]


def draw(seed=1):
    return torch.randn(
        BATCH, STEMS, TOKENS * NUMBERS, generator=torch.Generator().manual_seed(seed)
    )


def draw_controls():
    shape = (BATCH, TOKENS, TINY_PRIOR.controls)
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


@pytest.fixture(params=SHAPES, ids=IDS)
def config(request):
    return request.param


def test_its_controls_are_those_of_a_person():
    assert SketchPriorConfig().controls == count_features(SketchPriorConfig().stems)
    assert count_features(5) == count_features(4) + 1 == 24 + len(STYLES) + 4


@torch.no_grad()
def test_untrained_it_is_the_wiener_filter_of_the_components(config):
    network = SketchPrior(config)
    network.variance.copy_(torch.rand(STEMS, NUMBERS) + 0.1)
    x = draw()
    sigma = torch.tensor([[0.1, 0.5, 1.0, 3.0], [2.0, 2.0, 2.0, 50.0]])
    variance = network.variance[None, :, None]
    gain = variance / (variance + sigma[:, :, None, None] ** 2)
    expected = (gain * x.unflatten(2, (TOKENS, NUMBERS))).flatten(2)
    torch.testing.assert_close(network(x, sigma), expected, atol=ROUNDING, rtol=0)
    # Whatever it is told.
    told = network(x, sigma, None, draw_controls())
    torch.testing.assert_close(told, expected, atol=ROUNDING, rtol=0)


@torch.no_grad()
def test_corrections_are_in_deviations_of_the_posterior(config):
    network = SketchPrior(config)
    network.variance.copy_(torch.rand(STEMS, NUMBERS) + 0.1)
    sigma = torch.tensor([[0.1, 0.5, 1.0, 3.0], [2.0, 2.0, 2.0, 50.0]])
    before = network(draw(), sigma)
    network.leave.bias.fill_(2.0)
    moved = (network(draw(), sigma) - before).unflatten(2, (TOKENS, NUMBERS))
    deviation = (1 / (1 / network.variance + 1 / sigma[:, :, None] ** 2)).sqrt()
    expected = (2 * deviation)[:, :, None].expand_as(moved)
    torch.testing.assert_close(moved, expected, atol=ROUNDING, rtol=0)


@torch.no_grad()
def test_known_tokens_come_back_as_they_are_and_others_do_not(config):
    network = tiny_prior(config)
    x = draw()
    sigma = torch.full((BATCH, STEMS, TOKENS), 2.0)
    sigma[0, 1] = 0
    sigma[1, :, :2] = config.sigma_min
    found = network(x, sigma).unflatten(2, (TOKENS, NUMBERS))
    noisy = x.unflatten(2, (TOKENS, NUMBERS))
    known = sigma <= config.sigma_min
    assert torch.equal(found[known], noisy[known])
    assert (found[~known] != noisy[~known]).all()


@torch.no_grad()
def test_a_level_of_each_stem_is_that_of_all_its_tokens(config):
    network = tiny_prior(config)
    sigma = torch.tensor([[0.1, 0.5, 1.0, 3.0], [2.0, 0.0, 2.0, 50.0]])
    spread = sigma[:, :, None].expand(-1, -1, TOKENS)
    torch.testing.assert_close(network(draw(), sigma), network(draw(), spread), rtol=0, atol=0)


@torch.no_grad()
def test_a_token_hears_the_other_stems_and_the_other_tokens(config):
    network = tiny_prior(config)
    sigma = torch.ones(BATCH, STEMS, TOKENS)
    changed = draw()
    changed[:, 2, :NUMBERS] += 1
    moved = (network(changed, sigma) != network(draw(), sigma)).unflatten(2, (TOKENS, NUMBERS))
    assert moved.any(3).all()


@torch.no_grad()
def test_it_hears_the_level_of_each_token_and_the_controls(config):
    network = tiny_prior(config)
    sigma = torch.ones(BATCH, STEMS, TOKENS)
    usual = network(draw(), sigma)
    louder = sigma.clone()
    louder[:, 0, 0] = 2
    assert (network(draw(), louder) != usual).any((0, 2)).all()
    assert (network(draw(), sigma, None, draw_controls()) != usual).any((0, 2)).all()
    nothing = torch.zeros(BATCH, TOKENS, config.controls)
    assert torch.equal(network(draw(), sigma, None, nothing), usual)


@torch.no_grad()
def test_levels_above_the_largest_are_the_largest(config):
    network = tiny_prior(config)
    sigma = torch.full((BATCH, STEMS), config.sigma_max)
    torch.testing.assert_close(network(draw(), 100 * sigma), network(draw(), sigma))


@torch.no_grad()
def test_items_of_a_batch_do_not_influence_each_other(config):
    network = tiny_prior(config)
    sigma = torch.rand(BATCH, STEMS, TOKENS) + 0.1
    told = draw_controls()
    both = network(draw(), sigma, None, told)
    alone = network(draw()[:1], sigma[:1], None, told[:1])
    torch.testing.assert_close(both[:1], alone, atol=ROUNDING, rtol=1e-4)


def test_every_weight_is_trained(config):
    network = stir(lambda: SketchPrior(config))
    x = draw()
    sigma = torch.rand(BATCH, STEMS, TOKENS) + 0.5
    (network(x, sigma, None, draw_controls()) - x).square().sum().backward()
    dead = [
        name
        for name, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert not dead


@torch.no_grad()
def test_another_precision_changes_little(config):
    network = tiny_prior(config)
    sigma = torch.rand(BATCH, STEMS, TOKENS) + 0.5
    exact = network(draw(), sigma, None, draw_controls())
    network.cast(torch.bfloat16)
    # Eight bits of mantissa, in a correction that is smaller than the noise.
    rounded = network(draw(), sigma, None, draw_controls())
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, atol=0.05, rtol=0.02)


@pytest.mark.parametrize("fields", [{"width": 0}, {"coefficients": 0}, {"layers": -1}])
def test_sizes_that_mean_nothing_are_refused(fields):
    with pytest.raises(ValueError, match="above 0"):
        SketchPriorConfig(**fields)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="heads that divide 8, got 3"):
        SketchPriorConfig(width=16, heads=3)
    assert SketchPriorConfig(coefficients=48).length_multiple == 48
