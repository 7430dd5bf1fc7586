"""Checkpoints of the paper's network with random weights, as its authors' trainer writes them.

Needs the authors' library:
``pip install --no-deps audio_diffusion_pytorch==0.0.43 einops einops-exts``.
"""

from pathlib import Path
from typing import Annotated, Any

import torch
import typer

FIXED = {
    "patch_blocks": 1,
    "kernel_sizes_init": [1, 3, 7],
    "use_nearest_upsample": False,
    "use_skip_scale": True,
    "use_attention_bottleneck": True,
    "use_context_time": True,
}
"""What the paper's configuration says, whatever the network's size."""

SMALL = {
    "in_channels": 4,
    "channels": 32,
    "patch_factor": 4,
    "multipliers": [1, 2, 2],
    "factors": [4, 2],
    "num_blocks": [2, 2],
    "attentions": [False, True],
    "attention_heads": 2,
    "attention_features": 8,
    "attention_multiplier": 2,
    "resnet_groups": 8,
    "kernel_multiplier_downsample": 2,
}
"""Hyper-parameters of a network that runs in real time on two cores."""


def build_peer(sizes: dict[str, Any]) -> Any:
    """The authors' network, with random weights."""
    from audio_diffusion_pytorch.modules import UNet1d

    return UNet1d(**sizes, **FIXED)


def save_checkpoint(peer: Any, sizes: dict[str, Any], path: Path) -> None:
    """Save a network as the authors' trainer does."""
    state = {f"model.unet.{name}": value for name, value in peer.state_dict().items()}
    settings = {**sizes, "diffusion_sigma_data": 0.2}
    version = {"pytorch-lightning_version": "1.7.7"}
    torch.save({"state_dict": state, "hyper_parameters": settings, **version}, path)


def main(
    path: Annotated[Path, typer.Argument(help="The checkpoint that is written.")],
    *,
    stems: int = 4,
    seed: int = 0,
) -> None:
    """Write a small checkpoint."""
    torch.manual_seed(seed)
    sizes = {**SMALL, "in_channels": stems}
    save_checkpoint(build_peer(sizes), sizes, path)


if __name__ == "__main__":
    typer.run(main)
