"""Ship a trained network as the embedded model.

    python scripts/ship.py RUN weights
    python scripts/ship.py RUN weights --kept 0.3

Writes RUN's best averaged weights in float16 to ``weights/embedded.safetensors``, brings ``weights/embedded.json`` (the
spec; its presets are kept) up to date with the network's config, exports ``weights/embedded.onnx``, and records the
files in ``weights/registry.json``.

With ``--kept``, what ships is a mean of RUN's weights and of those that have shipped, if RUN began with them: a run
that is better on what resembles its songs can be worse on other music, and the mean can have most of both
(arXiv 2109.01903).
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor
from train import load_initial

from msdm_cli.models.adopt import resize
from msdm_cli.models.checkpoint import load_run
from msdm_cli.models.export import export_model
from msdm_cli.models.registry import find_entry
from msdm_cli.models.spec import load_spec
from msdm_cli.models.verify import describe
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig


def mean_weights(
    new: dict[str, Tensor], config: dict[str, Any], shipped: Path, kept: float
) -> dict[str, Tensor]:
    """``(1 - kept) * new + kept * shipped``, in float32; of layers that have not shipped, the new weights.

    Raises:
        typer.BadParameter: They are of different networks.
    """
    network = StftUnet(StftUnetConfig(**config))
    network.load_state_dict(new)
    load_initial(network, shipped)
    return {
        name: new[name].float().lerp(value, kept) for name, value in network.state_dict().items()
    }


def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="The folder weights/.")],
    kept: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the weights that have shipped before.")
    ] = 0.0,
) -> None:
    """Ship the best weights of RUN."""
    tensors, config = load_run(run)
    if kept:
        tensors = mean_weights(tensors, config, weights / "embedded.safetensors", kept)
    # The measured spectra span 60 dB and are squared: they stay in float32.
    shipped = {
        name: value if name == "sd" else value.to(torch.float16) for name, value in tensors.items()
    }
    tensors_path, spec_path = weights / "embedded.safetensors", weights / "embedded.json"
    save_file({name: value.contiguous() for name, value in shipped.items()}, tensors_path)
    resize(load_spec(spec_path), config).save(spec_path)
    registry_path = weights / "registry.json"
    registry = json.loads(registry_path.read_text())
    files = {"weights": tensors_path, "spec": spec_path}
    registry["embedded"] |= {key: dataclasses.asdict(describe(path)) for key, path in files.items()}
    registry_path.write_text(json.dumps(registry, indent=2) + "\n")
    made = export_model(find_entry("embedded"), weights / "embedded.onnx", "fp32")
    registry["embedded"]["onnx"] = dataclasses.asdict(describe(made.path))
    registry_path.write_text(json.dumps(registry, indent=2) + "\n")
    print(f"{tensors_path}: {tensors_path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
