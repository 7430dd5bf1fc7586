"""Exporting a model to ONNX. The graph is compared with PyTorch before it gets its final name."""

import dataclasses
import itertools
import json
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from msdm_cli.backends.onnx_backend import OnnxDenoiser
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.errors import BackendUnavailable, InaccurateGraph, MissingPackage, UnwritableWeights
from msdm_cli.models.load import load_network
from msdm_cli.models.registry import ENTRY, WeightsEntry, weights_folder
from msdm_cli.models.spec import ModelSpec, load_spec
from msdm_cli.models.verify import check_file, describe
from msdm_cli.networks.network import Network

TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2}
"""Largest error by precision, relative to the largest sample.

Rounding is 6e-8 and 5e-4, and grows in some fifty layers.
"""

SHAPES = ((1, 1), (2, 3))
"""Shapes that are compared: batch, and length in multiples of those that the network takes."""

SIGMAS = (0.02, 0.3, 10.0)
"""Noise levels that are compared."""


@dataclass(frozen=True)
class Export:
    """An exported model.

    Attributes:
        path: The graph.
        weights: The weights that it refers to, beside it.
        max_error: Largest difference from PyTorch, relative to the largest sample.
        rms_error: Root mean square of the difference, relative to that of the samples.
    """

    path: Path
    weights: Path
    max_error: float
    rms_error: float


def export_model(entry: WeightsEntry, path: Path | None, precision: str, stage: int = 0) -> Export:
    """Export a stage of a model, so that it runs without PyTorch.

    Args:
        entry: The model.
        path: Receives the graph, and beside it a copy of the weights. If None, the graph is added
            to the model's own files.
        precision: Precision of the learned part: fp32 or fp16.
        stage: Index of the stage.

    Raises:
        WeightsError: Files of the model are missing or damaged, or the graph cannot be written.
        MissingPackage: ``onnx`` or ``onnxscript`` is not installed.
        InaccurateGraph: The graph does not give what PyTorch gives.
        BackendUnavailable: There are no graphs of such networks.
    """
    if path is None and entry.folder == weights_folder():
        raise UnwritableWeights(
            f"the model {entry.name} ships with its graph", "Choose another path for a new one."
        )
    spec = load_spec(check_file(entry, entry.spec))
    weights = check_file(entry, entry.find_weights(spec.stages[stage].name))
    target = path or entry.folder / f"{entry.name}.onnx"
    if target.name == weights.name:
        raise UnwritableWeights(
            f"{target}: is the name of the weights, which lie beside the graph",
            "Choose another name, for example model.onnx.",
        )
    try:
        networks = _load_twice(entry, spec, stage)
        export = _export(entry.name, networks, weights, target, precision)
        if path is None:
            _record(entry, target)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnwritableWeights(
            f"{target}: {reason}", "Free space there, or choose another path."
        ) from error
    return export


def _load_twice(entry: WeightsEntry, spec: ModelSpec, stage: int) -> tuple[Network, Network]:
    """The network of a stage, twice.

    Raises:
        BackendUnavailable: It cannot be exported.
    """
    first = load_network(entry, spec, stage)
    if not first.exports:
        raise BackendUnavailable(
            f"a network of {spec.stages[stage].architecture} cannot be exported to ONNX",
            "Use the backend torch.",
        )
    return first, load_network(entry, spec, stage)


def _export(
    name: str, networks: tuple[Network, Network], weights: Path, target: Path, precision: str
) -> Export:
    """Write graph and weights under temporary names, compare, and rename.

    The first network is changed to be written, the second one is compared with.

    Raises:
        OSError: They cannot be written.
    """
    kept = target.parent / weights.name
    is_elsewhere = kept.resolve() != weights.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=target.parent) as temporary:
        graph = Path(temporary) / target.name
        beside = Path(temporary) / weights.name
        (shutil.copyfile if is_elsewhere else _link)(weights, beside)
        _write_graph(networks[0], beside, graph, precision)
        max_error, rms_error = _compare(name, networks[1], graph, precision)
        if is_elsewhere:
            beside.replace(kept)
        graph.replace(target)
    return Export(target, kept, max_error, rms_error)


def _link(source: Path, target: Path) -> None:
    """Put a file in a second place, without a copy if the file system can."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _write_graph(network: Network, weights: Path, graph: Path, precision: str) -> None:
    try:
        from msdm_cli.models.onnx_graph import write_graph
    except ImportError as error:
        raise MissingPackage(
            f"exporting needs onnx and onnxscript ({error})",
            "Install them: pip install onnx onnxscript",
        ) from error
    write_graph(network, weights, graph, precision)


def _compare(name: str, network: Network, graph: Path, precision: str) -> tuple[float, float]:
    """Largest and root mean square difference of a graph from PyTorch in single precision.

    Raises:
        InaccurateGraph: They are larger than rounding explains.
    """
    exact = TorchDenoiser(network, torch.device("cpu"))
    exported = OnnxDenoiser(graph, "cpu")
    rng = np.random.default_rng(0)
    expected = []
    found = []
    for (batch, multiples), sigma in itertools.product(SHAPES, SIGMAS):
        shape = (batch, network.config.stems, multiples * network.config.length_multiple)
        stems = 0.1 * rng.standard_normal(shape)
        x = stems + sigma * rng.standard_normal(shape)
        inputs = network.list_inputs(multiples)
        levels = np.full((batch, *inputs["sigma"]), sigma)
        told = rng.standard_normal((batch, *inputs["told"])) if "told" in inputs else None
        for mixture in (None, stems.sum(1)) if exact.takes_mixture else (None,):
            expected.append(exact(x, levels, mixture, told).ravel())
            found.append(exported(x, levels, mixture, told).ravel())
    one = np.concatenate(expected)
    difference = np.concatenate(found) - one
    max_error = float(np.abs(difference).max() / np.abs(one).max())
    rms_error = math.sqrt(np.square(difference).sum() / np.square(one).sum())
    # The negation also refuses NaN.
    if not max_error <= TOLERANCES[precision]:
        raise InaccurateGraph(
            f"the graph of {name} differs from PyTorch by {max_error:.2g} of the largest "
            f"sample, more than {TOLERANCES[precision]}",
            "Export it in fp32, or use the backend torch.",
        )
    return max_error, rms_error


def _record(entry: WeightsEntry, graph: Path) -> None:
    """Add a graph to the entry of a model in the cache."""
    path = entry.folder / ENTRY
    record = json.loads(path.read_text(encoding="utf-8"))
    record["onnx"] = dataclasses.asdict(describe(graph))
    with tempfile.TemporaryDirectory(prefix=".part-", dir=entry.folder) as temporary:
        changed = Path(temporary) / ENTRY
        changed.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        changed.replace(path)
