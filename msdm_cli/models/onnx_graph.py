"""From a network of PyTorch to a graph of ONNX: the whole denoiser, for any batch and length.

The graph stores no weights. They stay in a safetensors file beside it, which PyTorch reads too:
the tensors of a safetensors file lie one after the other without headers, as ONNX's external data
do.
"""

import json
import logging
import struct
import warnings
from pathlib import Path
from typing import Any

import onnx_ir as ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import Tensor, nn

from msdm_cli.backends.onnx_backend import PRECISION, SHARES_SIGMA
from msdm_cli.backends.torch_backend import DTYPES
from msdm_cli.networks.network import Network

OPSET = 18

EXAMPLE_MULTIPLES = 6
"""Length of the input that is traced, in multiples of those that the network takes."""

KINDS = {"F32": ir.DataType.FLOAT, "F16": ir.DataType.FLOAT16}


class MixtureDenoiser(nn.Module):
    """A network with the mixture; ``given`` says whether it counts, because ONNX has no None."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor, given: Tensor) -> Tensor:
        """``[B, S, T], [B, S], [B, T], [B] -> [B, S, T]``."""
        return self.network.denoise(x, sigma, mixture * given[:, None], given)


class PlainDenoiser(nn.Module):
    """A network without the mixture; it may be told something."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, sigma: Tensor, told: Tensor | None = None) -> Tensor:
        """``[B, S, T], [B, S] -> [B, S, T]``."""
        others = (None, told) if told is not None else ()
        denoised: Tensor = self.network(x, sigma, *others)
        return denoised


def write_graph(network: Network, weights: Path, path: Path, precision: str = "fp32") -> None:
    """Write the graph of a network.

    Args:
        network: The network with its weights, in single precision. It is changed.
        weights: Its weights as safetensors, in the folder of ``path``.
        path: Receives the graph.
        precision: Precision of the learned part: fp32 or fp16.
    """
    if weights.parent.resolve() != path.parent.resolve():
        raise ValueError(f"expected weights beside the graph, got {weights} and {path}")
    if precision != "fp32":
        network.cast(DTYPES[precision])
    network.prepare_export()
    model = _trace(network)
    ClearMetadataAndDocStringPass()(model)
    _refer_to_weights(model.graph, weights)
    model.metadata_props.update(
        {SHARES_SIGMA: str(int(network.shares_sigma)), PRECISION: precision}
    )
    ir.save(model, path)


def _trace(network: Network) -> ir.Model:
    """The graph with its weights."""
    wrapped = (MixtureDenoiser if network.takes_mixture else PlainDenoiser)(network)
    inputs, dynamic = _make_examples(network)
    # It warns about what it could also have exported.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
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
    return program.model


def _make_examples(network: Network) -> tuple[dict[str, Tensor], dict[str, dict[int, Any]]]:
    """Inputs to trace a network with, and which of their axes may have other lengths."""
    multiple = network.config.length_multiple
    batch = torch.export.Dim("batch", min=1)
    multiples = torch.export.Dim("multiples", min=1)
    length = multiples if multiple == 1 else multiple * multiples
    x = torch.zeros(2, network.config.stems, EXAMPLE_MULTIPLES * multiple)
    inputs = {"x": x}
    dynamic: dict[str, dict[int, Any]] = {"x": {0: batch, 2: length}}
    longer = network.list_inputs(EXAMPLE_MULTIPLES + 1)
    for name, shape in network.list_inputs(EXAMPLE_MULTIPLES).items():
        inputs[name] = torch.ones(2, *shape)
        growth = [after - before for before, after in zip(shape, longer[name], strict=True)]
        axes = {
            axis: multiples if more == 1 else more * multiples
            for axis, more in enumerate(growth, start=1)
            if more
        }
        dynamic[name] = {0: batch, **axes}
    if network.takes_mixture:
        inputs |= {"mixture": x[:, 0], "given": torch.ones(2)}
        dynamic |= {"mixture": {0: batch, 1: length}, "given": {0: batch}}
    return inputs, dynamic


def _refer_to_weights(graph: ir.Graph, weights: Path) -> None:
    """Make the tensors of the graph refer to the file of weights, converted to the graph's type."""
    with weights.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    for name, value in list(graph.initializers.items()):
        stored = header.get(name.removeprefix("network."))
        if stored is None:
            continue
        begin, end = stored["data_offsets"]
        kept = ir.ExternalTensor(
            weights.name,
            8 + size + begin,
            end - begin,
            KINDS[stored["dtype"]],
            shape=ir.Shape(stored["shape"]),
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
