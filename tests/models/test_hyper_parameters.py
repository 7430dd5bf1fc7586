"""What the authors' hyper-parameters say is computed, or refused by name."""

import math

import pytest
import torch
from conftest import lightning_checkpoint

from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.checkpoint import load_checkpoint
from msdm_cli.models.hyper_parameters import read_config
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig

PAPER = {
    "learning_rate": 1e-4,
    "beta1": 0.9,
    "beta2": 0.99,
    "in_channels": 4,
    "channels": 256,
    "patch_factor": 16,
    "patch_blocks": 1,
    "resnet_groups": 8,
    "kernel_multiplier_downsample": 2,
    "kernel_sizes_init": [1, 3, 7],
    "multipliers": [1, 2, 4, 4, 4, 4, 4],
    "factors": [4, 4, 4, 2, 2, 2],
    "num_blocks": [2, 2, 2, 2, 2, 2],
    "attentions": [False, False, False, True, True, True],
    "attention_heads": 8,
    "attention_features": 128,
    "attention_multiplier": 2,
    "use_nearest_upsample": False,
    "use_skip_scale": True,
    "use_attention_bottleneck": True,
    "diffusion_sigma_distribution": None,
    "diffusion_sigma_data": 0.2,
    "diffusion_dynamic_threshold": 0.0,
}
"""exp/train_msdm.yaml of the authors."""


def test_the_configuration_of_the_paper_is_our_default():
    fields = read_config(PAPER)
    expected = Unet1dConfig()
    assert fields.keys() == expected.__dataclass_fields__.keys()
    for name, value in fields.items():
        found = tuple(value) if isinstance(value, list) else value
        assert found == getattr(expected, name), name


def test_no_hyper_parameters_state_nothing():
    assert read_config({}) == {}


def test_what_is_left_out_is_what_the_authors_code_takes_then():
    left = ("diffusion_sigma_data", "attention_heads", "attention_features", "use_skip_scale")
    fields = read_config({name: value for name, value in PAPER.items() if name not in left})
    found = [fields[name] for name in ("sigma_data", "heads", "head_features", "skip_scale")]
    assert found == [0.1, 8, 64, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("diffusion_dynamic_threshold", 0.95),
        ("diffusion_dynamic_threshold", math.nan),
        ("diffusion_dynamic_threshold", "0"),
        ("patch_blocks", 2),
        ("use_nearest_upsample", True),
        ("use_attention_bottleneck", False),
        ("use_context_time", False),
        ("use_classifier_free_guidance", True),
        ("context_features", 8),
        ("context_channels", [4]),
        ("context_embedding_features", 8),
        ("out_channels", 8),
        ("use_snake", True),
    ],
)
def test_what_is_not_computed_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        read_config({**PAPER, name: value})


@pytest.mark.parametrize(
    "changed",
    [
        {"use_skip_scale": False},
        {"factors": [1, 2]},
        {"factors": [4, 1]},
        {"factors": [1, 1]},
        {"factors": [3, 5]},
        {"patch_factor": 1},
        {"kernel_multiplier_downsample": 4},
        {"num_blocks": [1, 3]},
        {"attention_heads": 4, "attention_features": 4},
        {"attention_multiplier": 3},
        {"resnet_groups": 4},
        {"diffusion_sigma_data": 0.5},
        {"out_channels": 4, "context_channels": []},
    ],
    ids=str,
)
def test_what_is_computed_is_what_the_authors_compute(tmp_path, changed):
    torch.manual_seed(0)
    model, checkpoint = lightning_checkpoint(changed=changed)
    torch.save(checkpoint, tmp_path / "some.ckpt")
    tensors, config = load_checkpoint(tmp_path / "some.ckpt")
    network = Unet1d(Unet1dConfig(**config))
    network.load_state_dict(tensors)
    x = torch.randn(2, 4, 24 * network.config.length_multiple)
    sigma = torch.tensor([0.3, 1.5])
    expected = model.diffusion.denoise_fn(x, sigmas=sigma)
    found = network(x, sigma[:, None].expand(2, 4))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    with torch.inference_mode():  # another way to the same
        found = network(x, sigma[:, None].expand(2, 4))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_checkpoint_of_what_is_not_computed_is_refused_by_name(tmp_path):
    _, checkpoint = lightning_checkpoint(changed={"diffusion_dynamic_threshold": 0.95})
    torch.save(checkpoint, tmp_path / "some.ckpt")
    with pytest.raises(UnreadableCheckpoint, match=r"diffusion_dynamic_threshold is 0\.95"):
        load_checkpoint(tmp_path / "some.ckpt")
