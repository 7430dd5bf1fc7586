"""Exporting a model to ONNX: written, checked against PyTorch, and only then there."""

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
from msdm_cli.errors import BackendUnavailable, InaccurateGraph, UnwritableWeights
from msdm_cli.models.load import load_network
from msdm_cli.models.registry import ENTRY, WeightsEntry, weights_folder
from msdm_cli.models.spec import ModelSpec, load_spec
from msdm_cli.models.verify import check_file, describe

TOLERANCES = {"fp32": 1e-4, "fp16": 2e-2}
"""Largest error relative to the largest sample. Rounding is 6e-8 and 5e-4, and grows through some fifty layers."""

SHAPES = ((1, 1), (2, 3))
"""Batch, and length in multiples of what the network takes."""

SIGMAS = (0.02, 0.3, 10.0)


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


def export_model(entry: WeightsEntry, path: Path | None, precision: str) -> Export:
    """Export a model, so that it runs without PyTorch.

    Args:
        entry: The model.
        path: Receives the graph, and beside it a copy of the weights; if None, the graph joins the model's own files.
        precision: Of the learned part: fp32 or fp16.

    Raises:
        WeightsError: The model is not here or damaged, or the files cannot be written.
        BackendUnavailable: What exports is not installed.
        InaccurateGraph: The graph does not give what PyTorch gives.
    """
    if path is None and entry.folder == weights_folder():
        raise UnwritableWeights(
            f"the model {entry.name} ships with its graph",
            "Say --output PATH to have it elsewhere.",
        )
    weights, spec = check_file(entry, entry.weights), load_spec(check_file(entry, entry.spec))
    target = path or entry.folder / f"{entry.name}.onnx"
    kept = target.parent / weights.name
    if (
        target.name == weights.name
    ):  # the graph would be written over the weights that lie beside it
        raise UnwritableWeights(
            f"{target}: is the name of the weights", "Give the graph another name, as model.onnx."
        )
    elsewhere = kept.resolve() != weights.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=target.parent) as temporary:
            graph, beside = Path(temporary) / target.name, Path(temporary) / weights.name
            (shutil.copyfile if elsewhere else _link)(weights, beside)
            _write_graph(entry, spec, beside, graph, precision)
            max_error, rms_error = _compare(entry, spec, graph, precision)
            if elsewhere:
                beside.replace(kept)
            graph.replace(target)
        if path is None:
            _record(entry, target)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnwritableWeights(
            f"{target}: {reason}", "Make room there, or say --output PATH."
        ) from error
    return Export(target, kept, max_error, rms_error)


def _link(source: Path, target: Path) -> None:
    """Have a file in two places: as one, where the disk can."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _write_graph(
    entry: WeightsEntry, spec: ModelSpec, weights: Path, graph: Path, precision: str
) -> None:
    try:
        from msdm_cli.models.onnx_graph import write_graph
    except ImportError as error:
        raise BackendUnavailable(
            f"exporting needs onnx and onnxscript ({error})",
            "Install them: pip install onnx onnxscript",
        ) from error
    write_graph(load_network(entry, spec), weights, graph, precision)


def _compare(
    entry: WeightsEntry, spec: ModelSpec, graph: Path, precision: str
) -> tuple[float, float]:
    """Largest and root mean square difference of a graph from PyTorch in single precision.

    Raises:
        InaccurateGraph: They are above what rounding explains.
    """
    exact, exported = (
        TorchDenoiser(load_network(entry, spec), torch.device("cpu")),
        OnnxDenoiser(graph, "cpu"),
    )
    rng = np.random.default_rng(0)
    largest, peak, error, power = 0.0, 0.0, 0.0, 0.0
    for (batch, multiples), sigma in itertools.product(SHAPES, SIGMAS):
        stems = 0.1 * rng.standard_normal(
            (batch, len(spec.stems), multiples * spec.length_multiple)
        )
        x = stems + sigma * rng.standard_normal(stems.shape)
        levels = np.full(stems.shape[:2], sigma)
        for mixture in (None, stems.sum(1)) if exact.takes_mixture else (None,):
            one, other = exact(x, levels, mixture), exported(x, levels, mixture)
            difference = np.abs(one - other)
            largest, peak = np.maximum(
                (largest, peak), (difference.max(), np.abs(one).max())
            )  # NaN stays NaN
            error += float(np.square(difference).sum())
            power += float(np.square(one).sum())
    max_error, rms_error = largest / peak, math.sqrt(error / power)
    if not max_error <= TOLERANCES[precision]:
        raise InaccurateGraph(
            f"the graph of {entry.name} differs from PyTorch by {max_error:.2g}, more than {TOLERANCES[precision]}",
            "Export it in fp32, or use --backend torch.",
        )
    return max_error, rms_error


def _record(entry: WeightsEntry, graph: Path) -> None:
    """Make a graph part of a model in the cache."""
    path = entry.folder / ENTRY
    record = json.loads(path.read_text(encoding="utf-8")) | {
        "onnx": dataclasses.asdict(describe(graph))
    }
    with tempfile.TemporaryDirectory(prefix=".part-", dir=entry.folder) as temporary:
        changed = Path(temporary) / ENTRY
        changed.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        changed.replace(path)
