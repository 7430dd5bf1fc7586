"""From a network of PyTorch to a graph of ONNX: the whole denoiser, for any batch and any length that it takes.

The graph holds no weights. They stay in a safetensors file beside it, which PyTorch reads too: tensors of a
safetensors file lie bare, one after the other, as ONNX's external data do.
"""

import json
import logging
import struct
import warnings
from pathlib import Path

import onnx_ir as ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import Tensor, nn

from msdm_cli.backends.onnx_backend import PRECISION, SHARES_SIGMA
from msdm_cli.backends.torch_backend import DTYPES
from msdm_cli.networks.network import Network
from msdm_cli.networks.stft_layer import StftLayer
from msdm_cli.networks.stft_unet import StftUnet

OPSET = 18
EXAMPLE_MULTIPLES = 6
KINDS = {"F32": ir.DataType.FLOAT, "F16": ir.DataType.FLOAT16}


class MatrixStft(StftLayer):
    """The same transform as products with matrices, which every ONNX runtime is good at.

    The matrices are computed in the graph, not kept in it: a runtime folds them when it loads it.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``[B, ..., T] -> [B, ..., 2, bins, T // hop]``."""
        pad, overlap = (self.n_fft - self.hop) // 2, self.n_fft // self.hop
        hops = nn.functional.pad(x, (pad, pad)).unflatten(-1, (-1, self.hop))  # type: ignore[no-untyped-call]
        count = hops.shape[-2] - overlap + 1
        frames = torch.cat([hops[..., start : start + count, :] for start in range(overlap)], -1)
        parts = (frames @ (self._waves() * self.window).T).transpose(-1, -2)
        return parts.unflatten(-2, (2, self.bins))  # type: ignore[no-untyped-call]

    def inverse(self, parts: Tensor) -> Tensor:
        """``[B, ..., 2, bins, frames] -> [B, ..., frames * hop]``."""
        bins = torch.arange(2 * self.bins) % self.bins
        doubled = torch.where(
            (bins == 0) | (bins == self.bins - 1), 1.0, 2.0
        )  # the others stand for two
        synthesis = self._waves() * doubled[:, None] * self.window / self.n_fft
        frames = parts.flatten(-3, -2).transpose(-1, -2) @ synthesis
        pad, length = (self.n_fft - self.hop) // 2, parts.shape[-1] * self.hop
        signal = self._overlap_add(frames) / self._overlap_add(
            self.window.square().expand(frames.shape[-2:])
        )
        return signal[..., pad : pad + length]

    def _waves(self) -> Tensor:
        """Real and imaginary parts of ``exp(-2 pi i k n / n_fft)``, ``[2 bins, n_fft]``."""
        turns = (
            torch.arange(self.bins)[:, None] * torch.arange(self.n_fft) % self.n_fft
        )  # whole: exact
        angles = turns * (2 * torch.pi / self.n_fft)
        return torch.cat((angles.cos(), -angles.sin()))

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """``[..., frames, n_fft] -> [..., (frames + n_fft // hop - 1) * hop]``."""
        overlap = self.n_fft // self.hop
        hops = frames.unflatten(-1, (overlap, self.hop))  # type: ignore[no-untyped-call]
        shifted = [
            nn.functional.pad(hops[..., index, :], (0, 0, index, overlap - 1 - index))
            for index in range(overlap)
        ]
        return torch.stack(shifted).sum(0).flatten(-2)


class ToldDenoiser(nn.Module):
    """A network that takes the mixture, with ``given`` telling whether there is one: a graph has no None."""

    def __init__(self, network: StftUnet) -> None:
        super().__init__()
        self.network = network
        config = network.config
        network.stft = MatrixStft(config.n_fft, config.hop)

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor, given: Tensor) -> Tensor:
        """``[B, S, T], [B, S], [B, T], [B] -> [B, S, T]``."""
        network = self.network
        observed = network.stft(mixture * given[:, None])
        return network.stft.inverse(
            network.denoise_transform(network.stft(x), sigma, observed, given)
        )


class PlainDenoiser(nn.Module):
    """A network that does not take the mixture."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        """``[B, S, T], [B, S] -> [B, S, T]``."""
        denoised: Tensor = self.network(x, sigma)
        return denoised


def write_graph(network: Network, weights: Path, path: Path, precision: str = "fp32") -> None:
    """Write the graph of a network.

    Args:
        network: The network, with its weights, in single precision.
        weights: Its weights as safetensors, in the folder of ``path``.
        path: Receives the graph.
        precision: Of the learned part: fp32 or fp16.
    """
    if weights.parent.resolve() != path.parent.resolve():
        raise ValueError(f"expected weights beside the graph, got {weights} and {path}")
    if precision != "fp32":
        network.cast(DTYPES[precision])
    stems, multiple = network.config.stems, network.config.length_multiple
    wrapped = ToldDenoiser(network) if isinstance(network, StftUnet) else PlainDenoiser(network)
    x = torch.zeros(2, stems, EXAMPLE_MULTIPLES * multiple)
    batch, length = (
        torch.export.Dim("batch", min=1),
        multiple * torch.export.Dim("multiples", min=1),
    )
    inputs, dynamic = (
        {"x": x, "sigma": torch.ones(2, stems)},
        {"x": {0: batch, 2: length}, "sigma": {0: batch}},
    )
    if network.takes_mixture:
        inputs |= {"mixture": x[:, 0], "given": torch.ones(2)}
        dynamic |= {"mixture": {0: batch, 1: length}, "given": {0: batch}}
    logging.getLogger("torch.onnx").setLevel(
        logging.ERROR
    )  # it warns of what it could also have exported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            wrapped.eval(),
            kwargs=inputs,
            dynamic_shapes=dynamic,
            output_names=["denoised"],
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("expected a graph, got none")
    model = program.model
    ClearMetadataAndDocStringPass()(model)
    _refer_to_weights(model.graph, weights)
    model.metadata_props.update(
        {SHARES_SIGMA: str(int(network.shares_sigma)), PRECISION: precision}
    )
    ir.save(model, path)


def _refer_to_weights(graph: ir.Graph, weights: Path) -> None:
    """Take every tensor of the weights file from there, converted to the type that the graph has it in."""
    with weights.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    for name, value in list(graph.initializers.items()):
        told = header.get(name.removeprefix("network."))
        if told is None:
            continue
        begin, end = told["data_offsets"]
        kept = ir.ExternalTensor(
            weights.name,
            8 + size + begin,
            end - begin,
            KINDS[told["dtype"]],
            shape=ir.Shape(told["shape"]),
            name=name,
            base_dir=weights.parent,
        )
        if kept.dtype == value.dtype:
            value.const_value = kept
            continue
        source = ir.Value(
            name=f"{name}.kept", type=ir.TensorType(kept.dtype), shape=value.shape, const_value=kept
        )
        cast = ir.node("Cast", [source], {"to": value.dtype})
        graph.insert_before(graph[0], cast)
        value.replace_all_uses_with(cast.outputs[0])
        graph.initializers.pop(name)
        graph.register_initializer(source)
