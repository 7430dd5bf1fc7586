"""Ship a trained network as the embedded model.

    python -m scripts.ship RUN weights
    python -m scripts.ship RUN weights --kept 0.3
    python -m scripts.ship RUN weights --stage sketch

Writes the best averaged weights of RUN in float16 to ``weights/embedded.safetensors``, brings
``weights/embedded.json`` (the spec; its presets are kept) up to date with the network's config,
exports ``weights/embedded.onnx``, and records the files in ``weights/registry.json``.

With ``--kept``, a mean is shipped of RUN's weights and of those that have shipped, if RUN began
with them: a run that is better on songs like its own can be worse on other music, and the mean can
have most of both (arXiv 2109.01903).

With ``--stage``, RUN trained another stage of the spec: ``weights/embedded-STAGE.safetensors`` and
the stage's config change.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from msdm_cli.models.checkpoint import load_run
from msdm_cli.models.export import export_model
from msdm_cli.models.registry import WeightsFile, find_entry
from msdm_cli.models.runs import resize
from msdm_cli.models.spec import load_spec
from msdm_cli.models.verify import describe
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from scripts.train.initial import load_initial

MEASURED = ("sd", "mean", "basis", "variance")
"""Tensors that were measured: spectra span 60 dB and are squared, and a basis is orthonormal."""


def mean_weights(
    new: dict[str, Tensor], config: dict[str, Any], shipped: Path, kept: float
) -> dict[str, Tensor]:
    """``(1 - kept) * new + kept * shipped`` in float32; layers that have not shipped are new.

    Raises:
        OtherNetworkError: They are of different networks.
    """
    network = StftUnet(StftUnetConfig(**config))
    network.load_state_dict(new)
    load_initial(network, shipped)
    old = network.state_dict()
    return {name: new[name].float().lerp(value, kept) for name, value in old.items()}


def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="The folder weights/.")],
    kept: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the weights that have shipped before.")
    ] = 0.0,
    stage: Annotated[str, typer.Option(help="Name of a stage of the spec: sketch or sound.")] = "",
) -> None:
    """Ship the best weights of RUN."""
    tensors, config = load_run(run)
    if stage:
        ship_stage(weights, stage, tensors, config)
        return
    weights_path = weights / "embedded.safetensors"
    spec_path = weights / "embedded.json"
    if kept:
        tensors = mean_weights(tensors, config, weights_path, kept)
    save_half(tensors, weights_path)
    resize(load_spec(spec_path), config).save(spec_path)
    record(weights, {"weights": weights_path, "spec": spec_path})
    # The export checks weights and spec against the registry.
    graph = export_model(find_entry("embedded"), weights / "embedded.onnx", "fp32")
    record(weights, {"onnx": graph.path})
    print(f"{weights_path}: {weights_path.stat().st_size / 1e6:.1f} MB")


def ship_stage(
    weights: Path, name: str, tensors: Mapping[str, Tensor], config: dict[str, Any]
) -> None:
    """Ship the weights of a stage that has a name."""
    spec_path = weights / "embedded.json"
    spec = load_spec(spec_path)
    if name not in [stage.name for stage in spec.stages]:
        raise typer.BadParameter(f"{spec_path} has no stage {name}", param_hint="--stage")
    stages = tuple(
        dataclasses.replace(stage, config=config) if stage.name == name else stage
        for stage in spec.stages
    )
    dataclasses.replace(spec, stages=stages).save(spec_path)
    path = weights / f"embedded-{name}.safetensors"
    save_half(tensors, path)
    files = find_entry("embedded").stages | {name: describe(path)}
    record(weights, {"spec": spec_path})
    record_stages(weights, "stages", files)
    entry = find_entry("embedded")
    index = [stage.name for stage in spec.stages].index(name)
    graph = export_model(entry, weights / f"embedded-{name}.onnx", "fp32", index)
    record_stages(weights, "graphs", entry.graphs | {name: describe(graph.path)})
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def save_half(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write weights in float16, and in float32 what was measured."""
    kept = {
        name: (value if name in MEASURED else value.to(torch.float16)).contiguous()
        for name, value in tensors.items()
    }
    save_file(kept, path)


def record_stages(weights: Path, kind: str, files: Mapping[str, WeightsFile]) -> None:
    """Write the files of the stages into the registry: of their tensors, or of their graphs."""
    path = weights / "registry.json"
    registry = json.loads(path.read_text())
    registry["embedded"][kind] = {name: dataclasses.asdict(file) for name, file in files.items()}
    path.write_text(json.dumps(registry, indent=2) + "\n")


def record(weights: Path, files: Mapping[str, Path]) -> None:
    """Write sizes and checksums of files of the embedded model into the registry."""
    path = weights / "registry.json"
    registry = json.loads(path.read_text())
    registry["embedded"] |= {
        kind: dataclasses.asdict(describe(file)) for kind, file in files.items()
    }
    path.write_text(json.dumps(registry, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
