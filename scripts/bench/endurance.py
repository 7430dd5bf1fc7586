"""Whether memory depends on the length of a song: peak memory of each task, short and very long.

    python -m scripts.bench.endurance tests/data/song.flac --output scripts/bench/endurance.md

What grows, if anything does, lies around the network: so the embedded network is replaced by what
it is before training, a static Wiener filter, and three hours pass in minutes.
"""

import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.cli.heap import keep_one_heap
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.consistent import ConsistentOptions
from msdm_cli.interface import Model, load_model
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import run_job
from msdm_cli.networks.network import Network
from msdm_cli.networks.stft_unet import StftUnet
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions
from msdm_cli.tasks.separate import SONG, SeparateOptions
from scripts.bench.long_songs import write_repeated
from scripts.bench.process import run_watched
from scripts.bench.report import OutputOption, Report
from scripts.bench.separation import get_network

TASKS = ("separate", "impute", "generate")


class StaticWiener(Network):
    """The embedded network without what it has learned.

    Args:
        network: The embedded network.
    """

    takes_mixture = True
    shares_sigma = False

    def __init__(self, network: StftUnet) -> None:
        super().__init__()
        self.network = network
        self.config = network.config

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``."""
        network = self.network
        given = x.new_full((len(x),), 0.0 if mixture is None else 1.0)
        observed = network.stft(torch.zeros_like(x[:, 0]) if mixture is None else mixture)
        return network.stft.inverse(network.posterior(network.stft(x), sigma, observed, given))

    def cast(self, dtype: torch.dtype) -> None:
        """There is no learned part."""


def load_static() -> Model:
    """The embedded model with a static Wiener filter in the place of its network."""
    model = load_model(device="cpu", precision="fp32")
    network = StaticWiener(get_network(model))
    return dataclasses.replace(model, denoisers=(TorchDenoiser(network, torch.device("cpu")),))


def work(task: str, song: Path, seconds: float, folder: Path) -> None:
    """Do a task in this process, from files to files."""
    # As the command does.
    keep_one_heap()
    model = load_static()
    preset = Preset("consistent", ConsistentOptions(num_steps=1, sigma_max=10.0))
    requests: dict[str, tuple[Any, dict[str, Path]]] = {
        "separate": (SeparateOptions(preset, 0), {SONG: song}),
        "impute": (ImputeOptions(preset, 0, ("piano",)), {"drums": song}),
        "generate": (GenerateOptions(preset, 0, seconds), {}),
    }
    options, inputs = requests[task]
    request = JobRequest(
        task, model.spec.name, model.runtime, options, inputs, folder, track="long"
    )
    run_job(request, model)


def measure(task: str, song: Path, seconds: float) -> str:
    """Peak memory of a task in MB, and its seconds, in a process of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "long.wav"
        if task != "generate":
            write_repeated(song, path, seconds)
        command = [sys.executable, "-m", "scripts.bench.endurance", str(path), "--task", task]
        command += ["--seconds", str(seconds), "--folder", str(Path(temporary) / "out")]
        finished = run_watched(command)
    return f"{finished.peak_mb:.0f} ({finished.seconds:.0f})"


def main(
    song: Annotated[Path, typer.Argument(help="Any song; it is repeated.")],
    *,
    minutes: Annotated[str, typer.Option(help="Lengths that are compared.")] = "3,180",
    output: OutputOption = None,
    task: Annotated[str | None, typer.Option(hidden=True)] = None,
    seconds: Annotated[float, typer.Option(hidden=True)] = 0.0,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print the table."""
    if task and folder:
        work(task, song, seconds, folder)
        return
    lengths = [float(value) for value in minutes.split(",")]
    report = Report(
        "Peak memory in MB, and seconds in brackets, for 44.1 kHz stereo, by "
        "`python -m scripts.bench.endurance`. A static Wiener filter takes the place of the "
        "network."
    )
    report.begin_table("task", *(f"{length:g} min" for length in lengths))
    for name in TASKS:
        report.row(name, *(measure(name, song, 60 * length) for length in lengths))
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
