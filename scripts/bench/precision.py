"""What reduced precision costs and brings on this machine: seconds of a network call, and SI-SDRi.

    pip install '.[export]'
    python -m scripts.bench.precision DATA/validation --output scripts/bench/precision.md

Half precision is what ``--precision`` has. 8 bits are ONNX Runtime's own quantisation of the
convolutions, which are most of the work: ranges of activations found in every call (dynamic), or in
the middle of some songs (static).
"""

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

# First of what imports ONNX Runtime: it forbids that to collect anything about its user.
from msdm_cli.backends.onnx_backend import OnnxDenoiser  # isort: split

import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from msdm_cli.models.registry import find_entry
from scripts.bench.report import OutputOption, Report
from scripts.bench.scores import list_cells, list_columns, score
from scripts.bench.separation import Method, by_model
from scripts.bench.timing import best_time
from scripts.songs import list_songs, load_middle

CALIBRATION_SONGS = 4
OPERATORS = ["Conv"]


class Calibration(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime has no types
    """Inputs from which the ranges of 8 bits are taken: songs to separate, as the graph has them.

    Args:
        excerpts: Stems of songs, ``[S, T]`` each.
        sigma_max: Noise level of absent stems.
    """

    def __init__(self, excerpts: Sequence[Samples], sigma_max: float) -> None:
        self._excerpts = iter(excerpts)
        self._sigma_max = sigma_max

    def get_next(self) -> dict[str, Samples] | None:
        """The next input."""
        stems = next(self._excerpts, None)
        if stems is None:
            return None
        x = np.zeros((1, *stems.shape), np.float32)
        return {
            "x": x,
            "sigma": np.full(x.shape[:2], self._sigma_max, np.float32),
            "mixture": stems.sum(0)[None],
            "given": np.ones(1, np.float32),
        }


def quantise(
    folder: Path, excerpts: Sequence[Samples], model: Model
) -> Iterator[tuple[str, Model]]:
    """The embedded model with convolutions in 8 bits, by the name of how that was done."""
    entry = find_entry(model.spec.name)
    assert entry.onnx is not None
    whole = folder / "whole.onnx"
    settings = onnxruntime.SessionOptions()
    # Constants are folded, so that weights are single precision tensors inside the file.
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = str(whole)
    graph = entry.folder / entry.onnx.name
    onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
    quantize_dynamic(whole, folder / "dynamic.onnx", op_types_to_quantize=OPERATORS)
    quantize_static(
        whole,
        folder / "static.onnx",
        Calibration(excerpts, model.spec.sigma_max),
        op_types_to_quantize=OPERATORS,
        per_channel=True,
    )
    for name in ("dynamic", "static"):
        denoiser = OnnxDenoiser(folder / f"{name}.onnx", "cpu")
        yield f"int8 {name}, onnx", dataclasses.replace(model, denoisers=(denoiser,))


def measure_call(model: Model, length: int, repeats: int) -> float:
    """Seconds of a network call on one channel of noise."""
    noise = np.random.default_rng(0).standard_normal((1, length))
    x = np.zeros((1, len(model.spec.stems), length), np.float32)
    sigma = np.full(x.shape[:2], model.spec.sigma_max, np.float32)
    mixture = (0.1 * noise).astype(np.float32)
    return best_time(lambda: model.denoisers[0](x, sigma, mixture), repeats)


def add_row(report: Report, name: str, model: Model, excerpts: Sequence[Samples]) -> None:
    """Measure a model, and add its row."""
    multiple = model.spec.length_multiple
    length = excerpts[0].shape[1] // multiple * multiple
    seconds = measure_call(model, length, 5)
    separate = by_model(model, model.spec.preset("separate", "fast"))
    summary = score(Method(name, 1, separate), excerpts, model.spec)
    report.row(name, f"{seconds:.2f}", *list_cells(summary))


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 6.0,
    limit: Annotated[int, typer.Option(help="Only so many songs.")] = 8,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    exact = load_model(device="cpu", precision="fp32")
    folders = list_songs(songs)
    excerpts = [load_middle(folder, seconds) for folder in folders[:limit]]
    report = Report(
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs in reduced "
        "precision, by `python -m scripts.bench.precision`. fp16 and bf16: the whole learned part; "
        "int8: its convolutions."
    )
    report.begin_table("precision", "seconds a call", *list_columns(exact.spec))
    add_row(report, "fp32, torch", exact, excerpts)
    add_row(report, "fp32, onnx", load_model(device="cpu", backend="onnx"), excerpts)
    others = folders[limit : limit + CALIBRATION_SONGS] or folders[:1]
    multiple = exact.spec.length_multiple
    calibration = []
    for folder in others:
        stems = load_middle(folder, seconds)
        calibration.append(stems[:, : stems.shape[1] // multiple * multiple])
    with tempfile.TemporaryDirectory() as temporary:
        for name, model in quantise(Path(temporary), calibration, exact):
            add_row(report, name, model, excerpts)
    for precision in ("fp16", "bf16"):
        model = load_model(device="cpu", precision=precision)
        add_row(report, f"{precision}, torch", model, excerpts)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
