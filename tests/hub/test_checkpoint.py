"""Checkpoints of the authors: read without running what they carry."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from audio_diffusion_pytorch.diffusion import LogNormalDistribution
from audio_diffusion_pytorch.model import Model1d

from msdm_cli.errors import IncompatibleCheckpoint
from msdm_cli.hub.checkpoint import load_checkpoint
from msdm_cli.models.unet1d import Unet1d, Unet1dConfig

SIZE = {
    "in_channels": 4,
    "channels": 32,
    "patch_blocks": 1,
    "patch_factor": 4,
    "multipliers": [1, 2, 2],
    "factors": [4, 2],
    "num_blocks": [2, 2],
    "attentions": [False, True],
    "attention_heads": 2,
    "attention_features": 8,
    "attention_multiplier": 2,
    "resnet_groups": 8,
    "kernel_multiplier_downsample": 2,
    "kernel_sizes_init": [1, 3, 7],
    "use_nearest_upsample": False,
    "use_skip_scale": True,
    "use_attention_bottleneck": True,
    "use_context_time": True,
}


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def build_checkpoint(**more):
    """What Lightning saves of the authors' module: every tensor twice, and an object among the hyper-parameters."""
    distribution = LogNormalDistribution(-3.0, 1.0)
    model = Model1d(
        diffusion_sigma_distribution=distribution, diffusion_sigma_data=0.2, diffusion_dynamic_threshold=0.0, **SIZE
    )
    settings = {"learning_rate": 1e-4, "diffusion_sigma_distribution": distribution, "diffusion_sigma_data": 0.2}
    checkpoint = {
        "epoch": 419,
        "global_step": 1000,
        "pytorch-lightning_version": "1.7.7",
        "state_dict": {f"model.{name}": value for name, value in model.state_dict().items()},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.014)}},
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-4}]}],
        "hyper_parameters": {**SIZE, **settings},
    }
    return model, checkpoint | more


def test_a_lightning_checkpoint_becomes_ours(tmp_path):
    torch.manual_seed(0)
    model, checkpoint = build_checkpoint()
    torch.save(checkpoint, tmp_path / "epoch=419.ckpt")
    tensors, config = load_checkpoint(tmp_path / "epoch=419.ckpt")
    network = Unet1d(Unet1dConfig(**config))
    network.load_state_dict(tensors)
    x, sigma = torch.randn(1, 4, 2 * network.config.length_multiple), torch.tensor([0.3])
    expected = model.diffusion.denoise_fn(x, sigmas=sigma)
    torch.testing.assert_close(network(x, sigma[:, None].expand(1, 4)), expected, atol=1e-5, rtol=1e-5)


def test_what_would_run_code_is_refused_and_does_not_run(tmp_path):
    trap = tmp_path / "sprung"
    torch.save(build_checkpoint(callbacks={"trap": Trap(trap)})[1], tmp_path / "trap.ckpt")
    with pytest.raises(IncompatibleCheckpoint):
        load_checkpoint(tmp_path / "trap.ckpt")
    assert not trap.exists()
    (tmp_path / "bare.ckpt").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(IncompatibleCheckpoint):
        load_checkpoint(tmp_path / "bare.ckpt")
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 cut off"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "some.ckpt"
    path.write_bytes(content)
    with pytest.raises(IncompatibleCheckpoint):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, [1, 2], {"state_dict": {"weight": torch.ones(2)}}])
def test_a_checkpoint_of_something_else_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(IncompatibleCheckpoint):
        load_checkpoint(tmp_path / "other.ckpt")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(IncompatibleCheckpoint, match=r"none\.ckpt"):
        load_checkpoint(Path(tmp_path / "none.ckpt"))
