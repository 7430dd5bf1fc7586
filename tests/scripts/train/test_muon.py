"""Steps of Muon."""

import pytest
import torch

from scripts.train.muon import Muon, orthogonal

BFLOAT16_TOLERANCE = 0.02
"""PyTorch's Muon computes in bfloat16."""


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch has none yet")
def test_steps_are_those_of_pytorch():
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((24, 60), (60, 24))]
    ours, theirs = ([torch.nn.Parameter(value.clone()) for value in start] for _ in range(2))
    kernels = start[0].clone().view(24, 15, 2, 2)
    convolution = torch.nn.Parameter(kernels.to(memory_format=torch.channels_last))
    options = {"momentum": 0.95, "weight_decay": 0.1}
    reference = torch.optim.Muon(theirs, 0.1, adjust_lr_fn="match_rms_adamw", **options)
    optimizer = Muon([*ours, convolution], 0.1, **options)
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad
        convolution.grad = ours[0].grad.view_as(convolution)
        optimizer.step()
        reference.step()
    for one, other, first in zip(ours, theirs, start, strict=True):
        moved = (other - first).norm()
        assert (one - other).norm() < BFLOAT16_TOLERANCE * moved
    torch.testing.assert_close(convolution.flatten(1), ours[0])


def test_singular_values_move_near_1():
    matrix = torch.randn(20, 50, generator=torch.Generator().manual_seed(0))
    for found in (orthogonal(matrix), orthogonal(matrix.T)):
        values = torch.linalg.svdvals(found)
        assert values.min() > 0.6
        assert values.max() < 1.3


def test_a_parameter_without_a_gradient_stays():
    still = torch.nn.Parameter(torch.ones(2, 2))
    Muon([still], 0.1, weight_decay=0.5).step()
    assert torch.equal(still, torch.ones(2, 2))
