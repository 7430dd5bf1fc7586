"""What reduced precision costs and brings on this machine: seconds of a network call, and SI-SDRi.

    pip install '.[export]'
    python scripts/bench/precision.py DATA/validation --output scripts/bench/precision.md

Half precision is what ``--precision`` has. 8 bits are ONNX Runtime's own quantisation of the convolutions, which are
most of the work: ranges of activations found in every call (dynamic), or in the middle of some songs (static).
"""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import typer
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static
from quality import Method, by_model, list_songs, load_stems, score
from speed import best_time

from msdm_cli.backends.onnx_backend import OnnxDenoiser
from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.registry import find_entry

CALIBRATION_SONGS = 4
OPERATORS = ["Conv"]


class Calibration(CalibrationDataReader):
    """Inputs from which the ranges of 8 bits are taken: songs to separate, as the graph has them."""

    def __init__(self, excerpts: list[Samples], sigma_max: float) -> None:
        self._excerpts, self._sigma_max = iter(excerpts), sigma_max

    def get_next(self) -> dict[str, Samples] | None:
        """The next input."""
        stems = next(self._excerpts, None)
        if stems is None:
            return None
        x = np.zeros((1, *stems.shape), np.float32)
        sigma = np.full(x.shape[:2], self._sigma_max, np.float32)
        return {
            "x": x,
            "sigma": sigma,
            "mixture": stems.sum(0)[None],
            "given": np.ones(1, np.float32),
        }


def quantise(folder: Path, excerpts: list[Samples], model: Model) -> Iterator[tuple[str, Model]]:
    """The embedded model with convolutions in 8 bits."""
    entry, whole, settings = (
        find_entry("embedded"),
        folder / "whole.onnx",
        onnxruntime.SessionOptions(),
    )
    assert entry.onnx is not None
    # What is constant is folded, so that weights are single precision tensors inside the file.
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = str(whole)
    onnxruntime.InferenceSession(
        entry.folder / entry.onnx.name, settings, providers=["CPUExecutionProvider"]
    )
    quantize_dynamic(whole, folder / "dynamic.onnx", op_types_to_quantize=OPERATORS)
    reader = Calibration(excerpts, model.spec.sigma_max)
    quantize_static(
        whole, folder / "static.onnx", reader, op_types_to_quantize=OPERATORS, per_channel=True
    )
    for name in ("dynamic", "static"):
        denoiser = OnnxDenoiser(folder / f"{name}.onnx", "cpu")
        yield f"int8 {name}, onnx", dataclasses.replace(model, denoiser=denoiser)


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the Slakh layout.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 6.0,
    limit: Annotated[int, typer.Option(help="Only so many songs.")] = 8,
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table."""
    exact = load_model("embedded", Runtime("torch", "cpu", "fp32"))
    names, multiple = exact.spec.stems, exact.spec.length_multiple
    folders = list_songs(songs)
    excerpts = [load_stems(folder, names, seconds) for folder in folders[:limit]]
    length = excerpts[0].shape[1] // multiple * multiple
    rng = np.random.default_rng(0)
    x = np.zeros((1, len(names), length), np.float32)
    call = (
        x,
        np.full(x.shape[:2], exact.spec.sigma_max, np.float32),
        0.1 * rng.standard_normal((1, length)),
    )
    lines = [
        f"Convolutions or the learned part in reduced precision, {seconds:g} s of each of {len(excerpts)} held-out "
        "songs, by `scripts/bench/precision.py`. SI-SDRi in dB.",
        "",
        "| precision | seconds a call | "
        + " | ".join([*names, "mean, active", "mean, official", "leak"])
        + " |",
        "|---" * (len(names) + 5) + "|",
    ]
    print("\n".join(lines), flush=True)

    def tell(name: str, model: Model, repeats: int) -> None:
        took = best_time(lambda: model.denoiser(*call), repeats)
        told = score(
            Method(name, 1, by_model(model, model.spec.preset("separate", "fast"), 0)),
            excerpts,
            model,
        )
        lines.append(told.replace(f"| {name} | 1 |", f"| {name} | {took:.2f} |"))
        print(lines[-1], flush=True)

    tell("fp32, torch", exact, 5)
    tell("fp32, onnx", load_model("embedded", Runtime("onnx", "cpu")), 5)
    with tempfile.TemporaryDirectory() as folder:
        others = folders[limit : limit + CALIBRATION_SONGS]
        calibration = [load_stems(folder, names, seconds)[:, :length] for folder in others]
        for name, model in quantise(Path(folder), calibration, exact):
            tell(name, model, 5)
    for precision in ("fp16", "bf16"):
        tell(f"{precision}, torch", load_model("embedded", Runtime("torch", "cpu", precision)), 1)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
