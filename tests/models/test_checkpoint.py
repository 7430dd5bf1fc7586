"""Checkpoints of the authors: read without running what they carry."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from conftest import lightning_checkpoint

from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.checkpoint import load_checkpoint, load_run
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_lightning_checkpoint_becomes_ours(tmp_path):
    torch.manual_seed(0)
    model, checkpoint = lightning_checkpoint()
    torch.save(checkpoint, tmp_path / "epoch=419.ckpt")
    tensors, config = load_checkpoint(tmp_path / "epoch=419.ckpt")
    network = Unet1d(Unet1dConfig(**config))
    network.load_state_dict(tensors)
    x = torch.randn(1, 4, 2 * network.config.length_multiple)
    sigma = torch.tensor([0.3])
    expected = model.diffusion.denoise_fn(x, sigmas=sigma)
    torch.testing.assert_close(
        network(x, sigma[:, None].expand(1, 4)), expected, atol=1e-5, rtol=1e-5
    )


def test_settings_in_lists_of_omegaconf_are_read(tmp_path):
    omegaconf = pytest.importorskip("omegaconf")
    _, checkpoint = lightning_checkpoint()
    settings = omegaconf.OmegaConf.create({"factors": [4, 2], "multipliers": [1, 2, 2]})
    checkpoint["hyper_parameters"] |= {
        "factors": settings.factors,
        "multipliers": settings.multipliers,
    }
    torch.save(checkpoint, tmp_path / "epoch=419.ckpt")
    tensors, config = load_checkpoint(tmp_path / "epoch=419.ckpt")
    assert config["factors"] == [4, 2]
    assert config["multipliers"] == [1, 2, 2]
    Unet1d(Unet1dConfig(**config)).load_state_dict(tensors)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UnreadableCheckpoint) as found:
        load_checkpoint(tmp_path / "epoch=419.ckpt")
    assert found.value.message == f"{tmp_path / 'epoch=419.ckpt'}: no such file or directory"
    assert found.value.remedy == "Check the name."


def test_what_would_run_code_is_refused_and_does_not_run(tmp_path):
    trap = tmp_path / "sprung"
    torch.save(lightning_checkpoint(callbacks={"trap": Trap(trap)})[1], tmp_path / "trap.ckpt")
    with pytest.raises(UnreadableCheckpoint):
        load_checkpoint(tmp_path / "trap.ckpt")
    assert not trap.exists()
    (tmp_path / "bare.ckpt").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(UnreadableCheckpoint):
        load_checkpoint(tmp_path / "bare.ckpt")
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 cut off"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "some.ckpt"
    path.write_bytes(content)
    with pytest.raises(UnreadableCheckpoint):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "content", [{}, {"state_dict": {}}, [1, 2], {"state_dict": {"weight": torch.ones(2)}}]
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(UnreadableCheckpoint):
        load_checkpoint(tmp_path / "other.ckpt")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UnreadableCheckpoint, match=r"none\.ckpt"):
        load_checkpoint(Path(tmp_path / "none.ckpt"))


def test_a_refusal_says_what_it_is_and_not_how_to_go_round_it(tmp_path):
    torch.save(lightning_checkpoint(x=Trap(tmp_path / "sprung"))[1], tmp_path / "trap.ckpt")
    with pytest.raises(UnreadableCheckpoint) as caught:
        load_checkpoint(tmp_path / "trap.ckpt")
    assert "system, which only running its code could build" in caught.value.message
    for word in ("weights_only", "safe_globals", "torch.load"):
        assert word not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"state_dict": None},
        {"state_dict": [1]},
        {"state_dict": {1: 2, None: 3}},
        {"state_dict": {"to_time.0.0.weights": 1}},
        {"state_dict": {"to_time.0.0.weights": torch.ones(2, dtype=torch.int64)}},
        {"state_dict": {"to_time.0.0.weights": torch.ones(1).expand(10**12)}},
        {"state_dict": {"to_time.0.0.weights": torch.ones(1), "upsamples.x.y": torch.ones(1)}},
        {"state_dict": {"to_time.0.0.weights": torch.ones(1)}, "hyper_parameters": 1},
        {
            "state_dict": {"to_time.0.0.weights": torch.ones(1)},
            "hyper_parameters": {"use_snake": torch.ones(3)},
        },
        {
            "state_dict": {"to_time.0.0.weights": torch.ones(1)},
            "hyper_parameters": {"channels": [0] * 2000},
        },
    ],
)
def test_a_checkpoint_of_strange_things_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(UnreadableCheckpoint) as caught:
        load_checkpoint(tmp_path / "a.ckpt")
    assert len(caught.value.message) < 500


def test_keys_that_are_no_text_are_left_out(tmp_path):
    _, checkpoint = lightning_checkpoint()
    checkpoint["state_dict"][7] = "seven"
    torch.save(checkpoint, tmp_path / "a.ckpt")
    tensors, _ = load_checkpoint(tmp_path / "a.ckpt")
    assert all(isinstance(name, str) for name in tensors)


@pytest.mark.parametrize("content", ["", "[" * 100_000, "[]", "null", '{"a": 1e999}'])
def test_a_run_with_a_strange_config_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UnreadableCheckpoint, match="not the folder of a training run"):
        load_run(tmp_path)


def test_a_run_without_a_regular_file_of_weights_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "best.safetensors").mkdir()
    with pytest.raises(UnreadableCheckpoint, match="no regular file"):
        load_run(tmp_path)
