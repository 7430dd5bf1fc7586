"""Which optimizer steps for which weights."""

import torch
from conftest import TINY

from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.muon import Muon
from scripts.train.optimizers import build_optimizers
from scripts.train.options import TrainingOptions


def test_every_weight_has_one_optimizer():
    network = StftUnet(TINY)
    for muon in (False, True):
        optimizers = build_optimizers(network, TrainingOptions(muon=muon))
        assert [isinstance(optimizer, Muon) for optimizer in optimizers] == [True] * muon + [False]
        stepped = [
            parameter
            for optimizer in optimizers
            for group in optimizer.param_groups
            for parameter in group["params"]
        ]
        assert len(stepped) == len(list(network.parameters()))
        assert {id(parameter) for parameter in stepped} == set(map(id, network.parameters()))


def test_queries_keys_and_values_get_steps_of_their_own():
    torch.manual_seed(0)
    network = StftUnet(TINY)
    layer = network.attention[0]
    before = layer.qkv.weight.detach().clone()
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    # Queries and keys have small gradients at the start of a training.
    layer.qkv.weight.grad[:32] *= 1e-3
    for optimizer in build_optimizers(network, TrainingOptions(weight_decay=0.0)):
        optimizer.step()
    query, key, value = (layer.qkv.weight.detach() - before).chunk(3)
    assert query.norm() > 0.8 * value.norm()
    assert key.norm() > 0.8 * value.norm()
