"""What each part of the embedded network is worth: SI-SDRi in one call without it.

    python -m scripts.bench.parts DATA/validation --output scripts/bench/parts.md

Every residual branch is silenced in turn (it adds nothing to what goes past it), then all of a
kind. What costs nothing when it is gone was not worth its time in the training.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import load_model
from scripts.bench.report import OutputOption, Report
from scripts.bench.scores import add_scores
from scripts.bench.separation import Method, Separator, by_model, get_network
from scripts.songs import list_songs, load_middle

BRANCHES = {
    "conv_out": "convolutions",
    "bands_out": "mixing of bands",
    "out": "attention",
    "feed": "feed-forward",
}
"""Kinds of residual branches by the name of their last layer."""


@contextmanager
def silenced(branches: Sequence[nn.Module]) -> Iterator[None]:
    """Make residual branches add nothing."""

    def silence(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        del module, inputs
        return torch.zeros_like(output)

    with ExitStack() as stack:
        for branch in branches:
            stack.callback(branch.register_forward_hook(silence).remove)
        yield


def list_parts(network: nn.Module) -> dict[str, list[nn.Module]]:
    """Branches that are left out together, by name; first none."""
    parts: dict[str, list[nn.Module]] = {"nothing": []}
    for name, module in network.named_modules():
        where, _, last = name.rpartition(".")
        if last in BRANCHES:
            parts[f"{BRANCHES[last]} of {where}"] = [module]
            parts.setdefault(f"all {BRANCHES[last]}", []).append(module)
    return parts


def without(branches: Sequence[nn.Module], separate: Separator) -> Separator:
    """The same separation without some branches."""

    def separate_without(stems: Samples) -> Samples:
        with silenced(branches):
            return separate(stems)

    return separate_without


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 12.0,
    limit: Annotated[int, typer.Option(help="Only so many songs.")] = 8,
    only: Annotated[str, typer.Option(help="Only parts whose name contains this.")] = "",
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_model(device="cpu", precision="fp32")
    separate = by_model(model, model.spec.preset("separate", "fast"))
    methods = [
        Method(name, 1, without(branches, separate))
        for name, branches in list_parts(get_network(model)).items()
        if only in name
    ]
    excerpts = [load_middle(folder, seconds) for folder in list_songs(songs)[:limit]]
    report = Report(
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs, in one call, "
        "by `python -m scripts.bench.parts`. Each row leaves out one part of the network."
    )
    add_scores(report, methods, excerpts, model.spec, first="left out")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
