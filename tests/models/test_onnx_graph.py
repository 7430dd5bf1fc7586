"""Graphs of networks that this package does not know."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from msdm_cli.backends.onnx_backend import OnnxDenoiser
from msdm_cli.networks.network import Network

onnx_graph = pytest.importorskip("msdm_cli.models.onnx_graph")


@dataclass(frozen=True)
class ToyConfig:
    stems: int = 3
    length_multiple: int = 4


class ToyNetwork(Network):
    """Scales the stems, and adds to each its share of the mixture."""

    takes_mixture = True
    shares_sigma = True

    def __init__(self):
        super().__init__()
        self.config = ToyConfig()
        self.gains = torch.nn.Parameter(torch.rand(3, 1))

    def cast(self, dtype):
        self.gains.data = self.gains.data.to(dtype)

    def forward(self, x, sigma, mixture=None):
        given = torch.full_like(sigma[:, 0], 0.0 if mixture is None else 1.0)
        return self.denoise(x, sigma, x[:, 0] if mixture is None else mixture, given)

    def denoise(self, x, sigma, mixture, given):
        shares = sigma[:, :, None] / 10 * mixture[:, None] * given[:, None, None]
        return self.gains.to(x.dtype) * x + shares


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_graph_of_a_new_architecture_gives_what_the_network_gives(tmp_path, precision):
    network = ToyNetwork()
    # Weights that half precision represents exactly.
    network.gains.data = network.gains.data.half().float()
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    onnx_graph.write_graph(network, tmp_path / "w.safetensors", tmp_path / "g.onnx", precision)
    denoiser = OnnxDenoiser(tmp_path / "g.onnx", "cpu")
    assert denoiser.takes_mixture
    assert denoiser.shares_sigma
    assert denoiser.precision == precision
    x = np.random.default_rng(0).standard_normal((2, 3, 20), np.float32)
    sigma = np.full((2, 3), 0.5, np.float32)
    for mixture in (None, x.sum(1)):
        tensors = (None if item is None else torch.from_numpy(item) for item in (x, sigma, mixture))
        with torch.no_grad():
            expected = network(*tensors).numpy()
        # Float32 rounding of a few numbers of the order of 1.
        np.testing.assert_allclose(denoiser(x, sigma, mixture), expected, atol=1e-6)


def test_weights_elsewhere_are_refused(tmp_path):
    weights = tmp_path / "other" / "w.safetensors"
    with pytest.raises(ValueError, match="weights beside the graph"):
        onnx_graph.write_graph(ToyNetwork(), weights, tmp_path / "g.onnx")
