"""The paper's network at full size: our loop against a transcription of its authors'.

    pip install --no-deps audio_diffusion_pytorch==0.0.43 einops einops-exts
    python -m scripts.bench.published

Both separate the same mixture from the same noise on the same random weights, step for step. The
authors' network is that of their own library.
"""

import json
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.samplers import SAMPLERS, Problem
from msdm_cli.diffusion.samplers.msdm_paper import DiracOptions
from msdm_cli.diffusion.schedule import karras_sigmas
from msdm_cli.interface import Model, load_model
from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.networks.unet1d import Unet1dConfig
from scripts.bench.process import run_watched
from scripts.bench.published_loop import CHURN, NUM_RESAMPLES, Noise, separate_as_published
from scripts.bench.report import OutputOption, Report
from scripts.peer import build_peer, save_checkpoint

NAME = "random"
SCALE = 0.02
SIGMA_MIN = 0.08
SIGMA_MAX = 0.09
"""Levels in the middle of the published schedule."""

REPEATS = 2


def separate_as_ours(model: Model, mixture: Tensor, options: DiracOptions, noise: Noise) -> Tensor:
    """Our loop, without the last projection, ``[1, T] -> [1, S, T]``."""
    problem = Problem(
        condition=Unprojected(mixture=mixture.numpy()),
        shape=noise.shape,
        noise=lambda number, sample: noise.draw(number).numpy(),
        sigma_max=model.spec.sigma_max,
        length_multiple=model.spec.length_multiple,
    )
    found = SAMPLERS["dirac"].draw(model.denoisers[0], problem, options)
    return torch.from_numpy(found)


class Unprojected(Condition):
    """A condition that leaves what was drawn as it is."""

    def project(self, x: Samples, sigma: float) -> Samples:
        """The samples, unchanged."""
        return x


def peak_memory() -> float:
    """Largest memory of this process in MB; the kernel's other figure begins with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure_loading() -> None:
    """Load the model in this process, and print by how much its peak memory has grown, in MB."""
    before = peak_memory()
    began = time.perf_counter()
    load_model(NAME, device="cpu", precision="fp32")
    seconds = time.perf_counter() - began
    print(json.dumps({"peak_mb": peak_memory() - before, "seconds": seconds}))


@dataclass(frozen=True)
class Imported:
    """A network with random weights, in both programs.

    Attributes:
        peer: The authors' network.
        model: Ours.
        size_mb: Of the weights.
        import_seconds: What importing the checkpoint took.
        load_seconds: What loading took, in a process of its own.
        load_mb: Peak memory of that.
    """

    peer: nn.Module
    model: Model
    size_mb: float
    import_seconds: float
    load_seconds: float
    load_mb: float


def import_random(folder: Path, seed: int) -> Imported:
    """Make the authors' network, and import a checkpoint of it."""
    torch.manual_seed(seed)
    peer = build_peer(Unet1dConfig()).eval()
    checkpoint = folder / "random.ckpt"
    save_checkpoint(peer, Unet1dConfig(), checkpoint)
    began = time.perf_counter()
    entry = adopt_checkpoints(NAME, [checkpoint], "random weights", "none")
    import_seconds = time.perf_counter() - began
    checkpoint.unlink()
    command = [sys.executable, "-m", "scripts.bench.published", "--loading"]
    loaded = json.loads(run_watched(command).stdout)
    return Imported(
        peer,
        load_model(NAME, device="cpu", precision="fp32"),
        entry.weights.size_bytes / 1e6,
        import_seconds,
        loaded["seconds"],
        loaded["peak_mb"],
    )


def time_loops(imported: Imported, steps: int) -> tuple[dict[str, float], float]:
    """Seconds of a network call in each loop, the better of two, and their RMS difference."""
    spec = imported.model.spec
    noise = Noise((1, len(spec.stems), spec.chunk_length))
    generator = torch.Generator().manual_seed(1 << 20)
    mixture = SCALE * torch.randn(1, spec.chunk_length, generator=generator)
    options = DiracOptions(steps, SIGMA_MAX, SIGMA_MIN, churn=CHURN, num_resamples=NUM_RESAMPLES)
    sigmas = torch.from_numpy(karras_sigmas(steps, SIGMA_MIN, SIGMA_MAX)).float()
    loops: dict[str, Callable[[], Tensor]] = {
        "authors' network, their loop": lambda: separate_as_published(
            imported.peer, mixture, sigmas, noise
        ),
        "ours": lambda: separate_as_ours(imported.model, mixture, options, noise),
    }
    found = {}
    seconds = dict.fromkeys(loops, math.inf)
    with torch.inference_mode():
        # In turns, so that both meet the same machine.
        for _ in range(REPEATS):
            for name, run in loops.items():
                began = time.perf_counter()
                found[name] = run()
                took = (time.perf_counter() - began) / options.calls
                seconds[name] = min(seconds[name], took)
    theirs, ours = (result.numpy() for result in found.values())
    return seconds, float(np.sqrt(np.square(ours - theirs).mean()))


def add_tables(report: Report, imported: Imported, steps: int) -> None:
    """Measure, and add the tables."""
    seconds, difference = time_loops(imported, steps)
    report.table(
        ("separation loop", "seconds per network call"),
        [(name, f"{value:.2f}") for name, value in seconds.items()],
    )
    slow, fast = seconds.values()
    report.write(
        f"Ours is {slow / fast:.2f} times as fast. The results differ by {difference:.1e} RMS."
    )
    spec = imported.model.spec
    presets = {
        name: spec.preset("separate", name).calls for name in ("dirac", "fast", "default", "best")
    }
    whole = slow * presets["dirac"]
    columns = ("network calls a chunk", "seconds a chunk", "times as fast as the authors' loop")
    report.begin_table("settings", *columns)
    report.row("the authors' loop", presets["dirac"], f"{whole:.0f}", 1)
    for name, calls in presets.items():
        report.row(name, calls, f"{fast * calls:.0f}", f"{whole / (fast * calls):.1f}")
    report.write(
        f"Importing the checkpoint takes {imported.import_seconds:.0f} s. Loading the "
        f"{imported.size_mb:.0f} MB of weights takes {imported.load_seconds:.1f} s and "
        f"{imported.load_mb:.0f} MB at most."
    )


def main(
    *,
    steps: Annotated[int, typer.Option(help="Steps that are timed, of two calls each.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the weights.")] = 0,
    output: OutputOption = None,
    loading: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Print the tables."""
    if loading:
        measure_loading()
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MSDM_CACHE"] = str(Path(folder) / "cache")
        imported = import_random(Path(folder), seed)
        spec = imported.model.spec
        report = Report(
            f"`python -m scripts.bench.published` on {platform.machine()}, {os.cpu_count()} cores, "
            f"torch {torch.__version__}: {spec.chunk_length} samples of four stems, 405 M random "
            "weights, float32."
        )
        add_tables(report, imported, steps)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
