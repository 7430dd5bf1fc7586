"""What ships: a run's weights, or a mean of these and of those before."""

import dataclasses

import pytest
import torch
from conftest import TINY
from safetensors.torch import save_file

from msdm_cli.networks.stft_unet import StftUnet
from scripts.ship import mean_weights
from scripts.train.initial import OtherNetworkError


def weights(value, **changes):
    """Weights of a tiny network, all of one value, and its config."""
    config = dataclasses.replace(TINY, **changes)
    tensors = {
        name: torch.full_like(tensor, value)
        for name, tensor in StftUnet(config).state_dict().items()
    }
    return tensors, dataclasses.asdict(config)


def test_a_mean_of_weights_is_weighted_and_of_one_network_but_for_its_layers(tmp_path):
    shipped = tmp_path / "embedded.safetensors"
    save_file({name: tensor.half() for name, tensor in weights(3.0)[0].items()}, shipped)
    mean = mean_weights(*weights(1.0), shipped, 0.25)
    assert {tensor.dtype for tensor in mean.values()} == {torch.float32}
    assert {tensor.mean().item() for tensor in mean.values()} == {1.5}
    other = mean_weights(*weights(1.0, attention_layers=3), shipped, 0.25)
    added = {name for name in other if name.startswith("attention.2.")}
    assert {name for name, tensor in other.items() if tensor.mean() == 1.0} == added
    assert {tensor.mean().item() for name, tensor in other.items() if name not in added} == {1.5}
    with pytest.raises(OtherNetworkError, match="another network"):
        mean_weights(*weights(1.0, embedding=32), shipped, 0.25)
