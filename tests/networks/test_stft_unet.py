import pytest
import torch
from conftest import TINY, tiny_network

from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig

# Float32 rounding of a forward and an inverse transform, and of a sum of four stems.
ROUNDING = 5e-6


def question(sigma):
    torch.manual_seed(1)
    clean = torch.randn(2, 4, 8192) * torch.tensor([0.1, 0.05, 0.02, 0.02])[:, None]
    return clean, clean + sigma * torch.randn_like(clean), torch.full((2, 4), sigma)


def test_with_a_mixture_the_stems_sum_to_it():
    clean, noisy, sigma = question(0.3)
    mixture = clean.sum(1)
    denoised = tiny_network()(noisy, sigma, mixture)
    torch.testing.assert_close(denoised.sum(1), mixture, atol=ROUNDING, rtol=0)


def test_untrained_it_is_the_wiener_filter():
    network = StftUnet(TINY)
    with torch.no_grad():
        network.sd[:] = torch.tensor([0.1, 0.05, 0.02, 0.02])[:, None]
    clean, noisy, sigma = question(0.1)
    gain = network.sd[:, :1] ** 2 / (network.sd[:, :1] ** 2 + 0.01)
    with torch.no_grad():
        torch.testing.assert_close(network(noisy, sigma), gain * noisy, atol=ROUNDING, rtol=0)
        # From the mixture alone: shares by variance. As sigma_max is 10 and not infinite, the error
        # is of the order of (0.1 / 10)^2.
        shares = network.sd[:, :1] ** 2 / network.sd[:, 0].square().sum()
        found = network(torch.zeros_like(clean), torch.full((2, 4), TINY.sigma_max), clean.sum(1))
        torch.testing.assert_close(found, shares * clean.sum(1)[:, None], atol=1e-3, rtol=0)


def test_a_known_stem_stays_what_it_is():
    clean, noisy, sigma = question(0.3)
    noisy[:, 1] = clean[:, 1]
    sigma[:, 1] = 0.0
    found = tiny_network()(noisy, sigma)
    assert (found[:, 1] - clean[:, 1]).abs().max() < 1e-2 * clean[:, 1].abs().max()


def test_items_of_a_batch_do_not_influence_each_other():
    clean, noisy, sigma = question(0.3)
    network = tiny_network()
    both = network(noisy, sigma, clean.sum(1))
    alone = network(noisy[:1], sigma[:1], clean.sum(1)[:1])
    torch.testing.assert_close(both[:1], alone, atol=ROUNDING, rtol=1e-4)


def test_every_weight_is_trained():
    network = tiny_network()
    for layer in network.modules():
        for last in ("conv_out", "bands_out", "out"):  # of residual branches, which begin at zero
            if hasattr(layer, last):
                torch.nn.init.normal_(getattr(layer, last).weight, 0, 0.02)
        if hasattr(layer, "feed"):
            torch.nn.init.normal_(layer.feed[-1].weight, 0, 0.02)
    clean, noisy, sigma = question(0.3)
    (network(noisy, sigma, clean.sum(1)) - clean).square().sum().backward()
    dead = [
        name
        for name, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert not dead


def test_bands_that_do_not_cover_are_refused():
    with pytest.raises(ValueError, match="cover 512 bins"):
        StftUnetConfig(bands=((4, 4),))


def test_bands_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="divisible"):
        StftUnetConfig(bands=((1, 512),))
