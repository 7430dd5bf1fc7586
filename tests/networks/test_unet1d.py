"""The paper's network against the one that its authors used."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from msdm_cli.models.checkpoint import rename_tensors
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from scripts.golden import SMALL, fill
from scripts.peer import build_peer

GOLDEN = Path(__file__).parents[1] / "data" / "unet1d.npz"
# Both compute in float32, in another order.
ROUNDING = 2e-5


def test_the_raw_network_gives_what_the_authors_gave():
    golden = {name: torch.from_numpy(value) for name, value in np.load(GOLDEN).items()}
    network = Unet1d(SMALL)
    network.load_state_dict(fill(network.state_dict()))
    found = network.network(golden["x"], golden["time"])
    scale = golden["out"].std().item()
    assert scale > 0.1
    torch.testing.assert_close(found, golden["out"], atol=ROUNDING * scale, rtol=ROUNDING)
    with torch.inference_mode():  # another way to the same
        torch.testing.assert_close(
            network.network(golden["x"], golden["time"]),
            golden["out"],
            atol=ROUNDING * scale,
            rtol=ROUNDING,
        )


@pytest.fixture(params=[1, 4], ids=["one stem", "four stems"])
def pair(request):
    diffusion = pytest.importorskip("audio_diffusion_pytorch.diffusion")
    torch.manual_seed(request.param)
    config = dataclasses.replace(SMALL, stems=request.param)
    peer = build_peer(config)
    ours = Unet1d(config)
    for parameter in peer.parameters():  # gains of one and biases of zero would hide a swap
        torch.nn.init.normal_(parameter, 0.1, 0.3 / parameter[0].numel() ** 0.5)
    ours.load_state_dict(rename_tensors(peer.state_dict()))
    distribution = diffusion.LogNormalDistribution(-3.0, 1.0)
    return ours, diffusion.Diffusion(
        peer, sigma_distribution=distribution, sigma_data=0.2, dynamic_threshold=0.0
    )


def test_the_raw_network_is_the_same(pair):
    ours, theirs = pair
    x = torch.randn(2, ours.config.stems, 4 * ours.config.length_multiple)
    time = torch.tensor([-1.5, 0.2])
    torch.testing.assert_close(
        ours.network(x, time), theirs.net(x, time), atol=ROUNDING, rtol=ROUNDING
    )


def test_the_denoiser_is_the_same(pair):
    ours, theirs = pair
    x = torch.randn(2, ours.config.stems, 2 * ours.config.length_multiple)
    sigma = torch.tensor([1e-3, 0.7])
    expected = theirs.denoise_fn(x, sigmas=sigma)
    assert (expected.abs() == 1).any(), "the clamp is seen"
    torch.testing.assert_close(
        ours(x, sigma[:, None].expand(2, ours.config.stems)), expected, atol=ROUNDING, rtol=ROUNDING
    )


def test_the_loss_and_its_gradient_are_the_same(pair):
    ours, theirs = pair
    clean = 0.2 * torch.randn(2, ours.config.stems, 2 * ours.config.length_multiple)
    noise = torch.randn_like(clean)
    torch.manual_seed(3)
    theirs(clean, noise=noise).backward()
    torch.manual_seed(3)
    sigma = theirs.sigma_distribution(2)
    ours.loss(clean, sigma, noise).mean().backward()
    expected = rename_tensors({name: value.grad for name, value in theirs.net.named_parameters()})
    for name, parameter in ours.named_parameters():
        scale = expected[name].abs().max().item()
        torch.testing.assert_close(
            parameter.grad, expected[name], atol=1e-4 * scale, rtol=1e-3, msg=name
        )


def test_the_default_has_the_papers_parameters():
    with torch.device("meta"):
        network = Unet1d(Unet1dConfig())
    assert sum(parameter.numel() for parameter in network.parameters()) == 405_497_700
    assert network.config.length_multiple == 8192


def test_the_full_size_is_the_same():
    pytest.importorskip("audio_diffusion_pytorch")
    config = Unet1dConfig()
    peer = build_peer(config)
    with torch.device("meta"):
        ours = Unet1d(config)
    ours.load_state_dict(rename_tensors(peer.state_dict()), assign=True)  # shares the memory
    x = torch.randn(1, 4, 2 * config.length_multiple)
    time = torch.tensor([-0.3])
    with torch.inference_mode():
        torch.testing.assert_close(
            ours.network(x, time), peer(x, time), atol=ROUNDING, rtol=ROUNDING
        )
