"""Ship a trained network as the embedded model.

    python scripts/ship.py RUN weights

Writes RUN's best averaged weights in float16 to ``weights/embedded.safetensors``, brings ``weights/embedded.json`` (the
spec; its presets are kept) up to date with the network's config, exports ``weights/embedded.onnx``, and records the
files in ``weights/registry.json``.
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import torch
import typer
from safetensors.torch import save_file

from msdm_cli.hub.checkpoint import load_run
from msdm_cli.hub.registry import find_entry
from msdm_cli.hub.verify import describe
from msdm_cli.models.adopt import resize
from msdm_cli.models.export import export_model
from msdm_cli.models.spec import load_spec


def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training run.")],
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="The folder weights/.")],
) -> None:
    """Ship the best weights of RUN."""
    tensors, config = load_run(run)
    # The measured spectra span 60 dB and are squared: they stay in float32.
    shipped = {name: value if name == "sd" else value.to(torch.float16) for name, value in tensors.items()}
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
