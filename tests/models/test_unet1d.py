"""The paper's network against the one that its authors used."""

import pytest
import torch
from audio_diffusion_pytorch.diffusion import Diffusion, LogNormalDistribution
from audio_diffusion_pytorch.modules import UNet1d

from msdm_cli.hub.checkpoint import rename_tensors
from msdm_cli.models.unet1d import Unet1d, Unet1dConfig

SMALL = Unet1dConfig(
    channels=32,
    patch_factor=4,
    multipliers=(1, 2, 2, 3),
    factors=(4, 2, 3),
    num_blocks=(2, 1, 2),
    attentions=(False, True, True),
    heads=2,
    head_features=8,
)
# Both compute in float32, in another order; the networks' outputs are of order 1.
ROUNDING = 2e-5


def build_peer(config):
    network = UNet1d(
        in_channels=config.stems,
        channels=config.channels,
        patch_blocks=1,
        patch_factor=config.patch_factor,
        multipliers=config.multipliers,
        factors=config.factors,
        num_blocks=config.num_blocks,
        attentions=config.attentions,
        attention_heads=config.heads,
        attention_features=config.head_features,
        attention_multiplier=config.feed_multiplier,
        resnet_groups=config.groups,
        kernel_multiplier_downsample=config.kernel_multiplier,
        kernel_sizes_init=[1, 3, 7],
        use_nearest_upsample=False,
        use_skip_scale=True,
        use_attention_bottleneck=True,
        use_context_time=True,
    )
    for parameter in network.parameters():  # gains of one and biases of zero would hide a swap
        torch.nn.init.normal_(parameter, 0.1, 0.3 / parameter[0].numel() ** 0.5)
    return network


@pytest.fixture(params=[1, 4], ids=["one stem", "four stems"])
def pair(request):
    torch.manual_seed(request.param)
    config = Unet1dConfig(**{**vars(SMALL), "stems": request.param})
    peer, ours = build_peer(config), Unet1d(config)
    ours.load_state_dict(rename_tensors(peer.state_dict()))
    diffusion = Diffusion(
        peer, sigma_distribution=LogNormalDistribution(-3.0, 1.0), sigma_data=0.2, dynamic_threshold=0.0
    )
    return ours, diffusion


def test_the_raw_network_is_the_same(pair):
    ours, theirs = pair
    x, time = torch.randn(2, ours.config.stems, 4 * ours.config.length_multiple), torch.tensor([-1.5, 0.2])
    torch.testing.assert_close(ours.network(x, time), theirs.net(x, time), atol=ROUNDING, rtol=ROUNDING)


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
    sigma = LogNormalDistribution(-3.0, 1.0)(2)
    ours.loss(clean, sigma, noise).mean().backward()
    expected = rename_tensors({name: value.grad for name, value in theirs.net.named_parameters()})
    for name, parameter in ours.named_parameters():
        scale = expected[name].abs().max().item()
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-4 * scale, rtol=1e-3, msg=name)


def test_the_default_has_the_papers_parameters():
    with torch.device("meta"):
        network = Unet1d(Unet1dConfig())
    assert sum(parameter.numel() for parameter in network.parameters()) == 405_497_700
    assert network.config.length_multiple == 8192
