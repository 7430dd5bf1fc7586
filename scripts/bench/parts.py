"""What each part of the embedded network is worth: SI-SDRi in one call without it.

    python scripts/bench/parts.py DATA/validation --output scripts/bench/parts.md

Every residual branch is silenced in turn (it adds nothing to what goes past it), then all of a kind. What costs nothing
when it is gone was not worth its time in the training.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer
from quality import Method, Separator, by_model, list_songs, load_stems, tell_scores
from torch import Tensor, nn

from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.models.load import load_model

BRANCHES = {
    "conv_out": "convolutions",
    "bands_out": "mixing of bands",
    "out": "attention",
    "feed": "feed-forward",
}


@contextmanager
def silenced(branches: list[nn.Module]) -> Iterator[None]:
    """Make residual branches add nothing."""

    def silence(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        del module, inputs
        return torch.zeros_like(output)

    with ExitStack() as stack:
        for branch in branches:
            stack.callback(branch.register_forward_hook(silence).remove)
        yield


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the Slakh layout.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 12.0,
    limit: Annotated[int, typer.Option(help="Only so many songs.")] = 8,
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table."""
    model = load_model("embedded", Runtime("torch", "cpu", "fp32"))
    assert isinstance(model.denoiser, TorchDenoiser)
    separate = by_model(model, model.spec.preset("separate", "fast"), 0)
    parts: dict[str, list[nn.Module]] = {"nothing": []}
    for name, module in model.denoiser.network.named_modules():
        where, _, last = name.rpartition(".")
        if last in BRANCHES:
            parts[f"{BRANCHES[last]} of {where}"] = [module]
            parts.setdefault(f"all {BRANCHES[last]}", []).append(module)

    def without(branches: list[nn.Module]) -> Separator:
        def separate_without(stems: Samples) -> Samples:
            with silenced(branches):
                return separate(stems)

        return separate_without

    excerpts = [
        load_stems(folder, model.spec.stems, seconds) for folder in list_songs(songs)[:limit]
    ]
    lines = [
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs, in one call without a part of the "
        "network, by `scripts/bench/parts.py`.",
        "",
    ]
    print("\n".join(lines), flush=True)
    lines += tell_scores(
        [Method(name, 1, without(part)) for name, part in parts.items()], excerpts, model
    )
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
