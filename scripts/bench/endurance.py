"""Whether memory depends on the length of a song: peak memory of all three tasks for short and very long ones.

    python scripts/bench/endurance.py tests/data/song.flac --output scripts/bench/endurance.md

What grows, if anything does, lies around the network: so the embedded network is replaced by what it is before
training, a static Wiener filter, and three hours pass in minutes.
"""

import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from speed import write_song
from torch import Tensor, nn

from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.cli.heap import keep_one_heap
from msdm_cli.models.load import load_model
from msdm_cli.models.spec import Preset
from msdm_cli.networks.stft_unet import StftUnet
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems
from msdm_cli.tasks.separate import SeparateOptions, separate_song

TASKS = ("separate", "impute", "generate")


class StaticWiener(nn.Module):
    """The embedded network without what it has learned."""

    takes_mixture, shares_sigma = True, False

    def __init__(self, network: StftUnet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems."""
        given = x.new_full((len(x),), 0.0 if mixture is None else 1.0)
        observed = self.network.stft(x[:, 0] * 0 if mixture is None else mixture)
        gaussian = self.network.posterior(self.network.stft(x), sigma, observed, given)
        return self.network.stft.inverse(gaussian)


def work(task: str, song: Path, seconds: float, folder: Path) -> None:
    """Do a task in this process, and print its peak memory in MB and how long it took."""
    import resource
    import time

    keep_one_heap()  # as the command does
    loaded = load_model("embedded", Runtime(device="cpu"))
    assert isinstance(loaded.denoiser, TorchDenoiser)
    model = dataclasses.replace(
        loaded,
        denoiser=TorchDenoiser(StaticWiener(loaded.denoiser.network), loaded.denoiser.device),
    )
    preset, began = Preset(num_steps=1, sigma_max=10.0), time.monotonic()
    if task == "separate":
        separate_song(model, song, folder, SeparateOptions(preset, 0), SilentProgress())
    elif task == "impute":
        impute_stems(
            model, {"drums": song}, folder, ImputeOptions(preset, 0, ("piano",)), SilentProgress()
        )
    else:
        generate_song(model, folder, GenerateOptions(preset, 0, seconds), SilentProgress())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak": peak, "seconds": time.monotonic() - began}))


def main(
    song: Annotated[Path, typer.Argument(help="Any song; it is repeated.")],
    *,
    minutes: Annotated[str, typer.Option(help="Lengths that are compared.")] = "3,180",
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
    task: Annotated[str | None, typer.Option(hidden=True)] = None,
    seconds: Annotated[float, typer.Option(hidden=True)] = 0.0,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print the table."""
    if task and folder:
        work(task, song, seconds, folder)
        return
    lengths = [60 * float(value) for value in minutes.split(",")]
    lines = [
        "Peak memory in MB (and seconds), 44.1 kHz stereo, by `scripts/bench/endurance.py`; the network is a static "
        "Wiener filter.",
        "",
        "| task | " + " | ".join(f"{length / 60:g} min" for length in lengths) + " |",
        "|---" * (len(lengths) + 1) + "|",
    ]
    print("\n".join(lines), flush=True)
    for name in TASKS:
        cells = []
        for length in lengths:
            with tempfile.TemporaryDirectory() as temporary:
                path = Path(temporary) / "long.wav"
                write_song(song, path, length)
                options = [
                    "--task",
                    name,
                    "--seconds",
                    str(length),
                    "--folder",
                    str(Path(temporary) / "out"),
                ]
                command = [sys.executable, __file__, str(path), *options]
                told = json.loads(
                    subprocess.run(command, check=True, capture_output=True, text=True).stdout
                )
            cells.append(f"{told['peak']:.0f} ({told['seconds']:.0f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
