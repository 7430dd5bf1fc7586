"""Gradients of a step."""

import pytest
import torch
from lightning_fabric import Fabric

from scripts.train.devices import leave
from scripts.train.loop import backward_by_crop


class Pull(torch.nn.Module):
    """Its gradient is the mean of its inputs."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))
        self.unused = torch.nn.Parameter(torch.zeros(2))

    def forward(self, pull):
        return pull @ self.weight + 1


def test_no_crop_pulls_harder_than_its_norm_allows():
    fabric = Fabric(accelerator="cpu")
    pull = Pull()
    objective = fabric.setup(pull)
    loss = backward_by_crop(fabric, objective, [torch.tensor([[30.0, 40.0], [0.5, 0.0]])], 1.0)
    assert loss == 1
    torch.testing.assert_close(pull.weight.grad, torch.tensor([(0.6 + 0.5) / 2, 0.8 / 2]))
    with pytest.raises(RuntimeError, match="not finite"):
        backward_by_crop(fabric, objective, [torch.tensor([[float("nan"), 0.0]])], 1.0)


def pull_apart(fabric, folder):
    """What one of two processes does."""
    pull = Pull()
    backward_by_crop(fabric, fabric.setup(pull), [torch.eye(2)[[fabric.global_rank]]], 1.0)
    torch.save(pull.weight.grad, folder / f"{fabric.global_rank}.pt")
    leave()


def test_processes_share_their_gradients(tmp_path):
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn")
    fabric.launch(pull_apart, tmp_path)
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), torch.tensor([0.5, 0.5]))
