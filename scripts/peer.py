"""The paper's network as its authors wrote it, with random weights, and checkpoints of it.

    pip install --no-deps audio_diffusion_pytorch==0.0.43 einops einops-exts
    python -m scripts.peer PATH

Writes a checkpoint of a small network as the authors' trainer does.
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import nn

from msdm_cli.models.hyper_parameters import CONFIG
from msdm_cli.networks.unet1d import Unet1dConfig

FIXED = {
    "patch_blocks": 1,
    "kernel_sizes_init": [1, 3, 7],
    "use_nearest_upsample": False,
    "use_attention_bottleneck": True,
    "use_context_time": True,
}
"""What the paper's configuration says, whatever the network's size."""

TINY = Unet1dConfig(
    channels=32,
    patch_factor=8,
    multipliers=(1, 2, 2),
    factors=(4, 2),
    num_blocks=(2, 2),
    attentions=(False, True),
    heads=2,
    head_features=8,
)
"""A network that is faster than real time on a CPU."""


def list_sizes(config: Unet1dConfig) -> dict[str, Any]:
    """A size of ours as the authors' hyper-parameters."""
    fields = dataclasses.asdict(config)
    return {theirs: fields[ours] for theirs, ours in CONFIG.items()}


def build_peer(config: Unet1dConfig) -> nn.Module:
    """The authors' network of a size."""
    from audio_diffusion_pytorch.modules import UNet1d

    sizes = list_sizes(config)
    del sizes["diffusion_sigma_data"]
    network: nn.Module = UNet1d(**sizes, **FIXED)
    return network


def save_checkpoint(peer: nn.Module, config: Unet1dConfig, path: Path) -> None:
    """Save a network as the authors' trainer does."""
    state = {f"model.unet.{name}": value for name, value in peer.state_dict().items()}
    checkpoint = {"state_dict": state, "hyper_parameters": list_sizes(config)}
    torch.save({**checkpoint, "pytorch-lightning_version": "1.7.7"}, path)


def main(
    path: Annotated[Path, typer.Argument(help="The checkpoint that is written.")],
    *,
    stems: Annotated[int, typer.Option(help="Stems of the network.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the weights.")] = 0,
) -> None:
    """Write a checkpoint of a small network."""
    torch.manual_seed(seed)
    config = dataclasses.replace(TINY, stems=stems)
    save_checkpoint(build_peer(config), config, path)


if __name__ == "__main__":
    typer.run(main)
