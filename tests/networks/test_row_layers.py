"""Convolutions by matrix products, against PyTorch's own."""

import pytest
import torch
from torch import nn

from msdm_cli.networks import row_layers
from msdm_cli.networks.row_layers import RowConv, RowLengthen, RowLinear, RowNorm

ROUNDING = 1e-5
# Winograd's transforms add and subtract numbers of a few times the size of the result.
WINOGRAD_ROUNDING = 1e-4


@pytest.fixture(autouse=True, params=[True, False], ids=["onednn", "any"])
def by_onednn(request, monkeypatch):
    if request.param and not row_layers.ONEDNN:
        pytest.skip("PyTorch was built without oneDNN")
    monkeypatch.setattr(row_layers, "ONEDNN", request.param)


def compare(layer, reference, x, tolerance=ROUNDING):
    expected = reference(x.transpose(1, 2)).transpose(1, 2)
    with torch.inference_mode():
        torch.testing.assert_close(layer(x), expected.detach(), atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(layer(x), expected, atol=ROUNDING, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(3, 1, 1), (9, 4, 4), (5, 2, 2), (7, 3, 3), (1, 1, 0), (4, 4, 0)],
)
@pytest.mark.parametrize("batch", [1, 2])
def test_a_convolution(kernel, stride, padding, batch):
    layer = RowConv(6, 10, kernel, stride, padding)
    reference = nn.Conv1d(6, 10, kernel, stride, padding)
    layer.load_state_dict({"weight": reference.weight.permute(2, 1, 0), "bias": reference.bias})
    compare(layer, reference, torch.randn(batch, 24, 6))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("batch", [1, 2])
def test_a_transposed_convolution(factor, batch):
    layer = RowLengthen(6, 10, factor)
    padding = factor // 2 + factor % 2
    reference = nn.ConvTranspose1d(6, 10, 2 * factor, factor, padding, output_padding=factor % 2)
    weight = reference.weight.unflatten(2, (2, -1)).permute(2, 0, 3, 1)
    layer.load_state_dict({"weight": weight, "bias": reference.bias})
    compare(layer, reference, torch.randn(batch, 7, 6))


@pytest.mark.parametrize("length", [4, 8, 64])
@pytest.mark.parametrize("batch", [1, 3])
def test_half_of_the_multiplications_give_the_same(monkeypatch, length, batch):
    monkeypatch.setattr(row_layers, "WINOGRAD_POSITIONS", 4)
    monkeypatch.setattr(row_layers, "WINOGRAD_CHANNELS", 4)
    layer = RowConv(16, 24, 3, padding=1)
    reference = nn.Conv1d(16, 24, 3, padding=1)
    layer.load_state_dict({"weight": reference.weight.permute(2, 1, 0), "bias": reference.bias})
    used = []
    inner = RowConv._convolve_tiles
    monkeypatch.setattr(
        RowConv, "_convolve_tiles", lambda self, rows: used.append(1) or inner(self, rows)
    )
    compare(layer, reference, torch.randn(batch, length, 16), WINOGRAD_ROUNDING)
    assert len(used) == batch


def test_filters_are_kept_only_of_frozen_weights(monkeypatch):
    monkeypatch.setattr(row_layers, "WINOGRAD_POSITIONS", 4)
    monkeypatch.setattr(row_layers, "WINOGRAD_CHANNELS", 4)
    layer = RowConv(16, 24, 3, padding=1)
    x = torch.randn(1, 64, 16)
    with torch.no_grad():
        before = layer(x)
        layer.weight *= 2  # a step of a training between two validations
        after = layer(x)
        torch.testing.assert_close(
            after - layer.bias, 2 * (before - layer.bias), atol=1e-4, rtol=1e-4
        )
        layer.requires_grad_(False)
        assert torch.equal(layer(x), after)
        assert torch.equal(layer(x), after)
        assert layer._filters() is layer._filters()


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer(bias):
    layer = RowLinear(6, 10, bias)
    x = torch.randn(2, 9, 6)
    with torch.inference_mode():
        torch.testing.assert_close(
            layer(x), nn.Linear.forward(layer, x), atol=ROUNDING, rtol=ROUNDING
        )
    layer(x).sum().backward()
    assert layer.weight.grad is not None


def test_a_norm():
    layer = RowNorm(4, 12)
    reference = nn.GroupNorm(4, 12)
    compare(layer, reference, torch.randn(2, 9, 12))
    with torch.inference_mode():
        assert layer(torch.randn(2, 9, 12)).is_contiguous()
