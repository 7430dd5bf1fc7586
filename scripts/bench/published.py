"""The paper's network at full size: our loop against a straight transcription of its authors', on random weights.

    pip install --no-deps audio_diffusion_pytorch==0.0.43 einops einops-exts
    python scripts/bench/published.py

Both separate the same mixture from the same noise, step for step. The authors' network is that of their own library.
"""

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from make_golden import CONFIG, build_peer

from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.samplers.msdm_paper import Dirac, sample_published
from msdm_cli.diffusion.schedule import karras_sigmas
from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.models.load import load_model
from msdm_cli.networks.unet1d import Unet1dConfig
from msdm_cli.tasks.sampling import calls_per_chunk

NAME = "random"
CHURN, NUM_RESAMPLES = 20.0, 2
SCALE = 0.02
Noise = Callable[[int], Tensor]


def build_checkpoint(path: Path, seed: int) -> Any:
    """The authors' network with random weights, and a checkpoint of it as Lightning writes them."""
    torch.manual_seed(seed)
    config = Unet1dConfig()
    peer = build_peer(config).eval()
    told = {theirs: getattr(config, ours) for theirs, ours in CONFIG.items()}
    state = {f"model.unet.{name}": value for name, value in peer.state_dict().items()}
    torch.save(
        {"state_dict": state, "hyper_parameters": told, "pytorch-lightning_version": "1.7.7"}, path
    )
    return peer


def separate_as_published(peer: Any, mixture: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """The authors' loop (arXiv 2302.02257, Dirac likelihood, anchor 0), written down without further thought."""
    from audio_diffusion_pytorch.diffusion import Diffusion, LogNormalDistribution

    diffusion = Diffusion(
        peer,
        sigma_distribution=LogNormalDistribution(-3.0, 1.0),
        sigma_data=0.2,
        dynamic_threshold=0.0,
    )
    x, number, steps = sigmas[0] * noise(0), 1, len(sigmas) - 1
    for i in range(steps):
        sigma, sigma_next = sigmas[i], sigmas[i + 1]
        number += 1
        for r in range(NUM_RESAMPLES):
            sigma_hat = sigma * (1 + min(CHURN / steps, 2**0.5 - 1))
            x = x + noise(number) * (sigma_hat**2 - sigma**2) ** 0.5
            x[:, 0] = mixture - x[:, 1:].sum(1)
            d = (x - diffusion.denoise_fn(x, sigma=sigma_hat)) / sigma_hat
            d = d - d[:, :1]
            x = x + d * (sigma_next - sigma_hat)
            if r < NUM_RESAMPLES - 1:
                x = x + math.sqrt(sigma**2 - sigma_next**2) * noise(number + 1)
            number += 2
    return x


def peak_memory() -> float:
    """Largest memory of this process in MB; the kernel's other figure begins with that of the process before it."""
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


def measure_loading() -> None:
    """Load the model in this process, and print by how much its peak memory has grown, in MB."""
    before = peak_memory()
    began = time.perf_counter()
    load_model(NAME, Runtime("torch", "cpu", "fp32"))
    seconds = time.perf_counter() - began
    print(json.dumps({"peak": peak_memory() - before, "seconds": seconds}))


def main(
    *,
    steps: Annotated[int, typer.Option(help="Steps that are timed, of two calls each.")] = 3,
    seed: int = 0,
    output: Annotated[Path | None, typer.Option(help="Write the tables there too.")] = None,
    loading: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Print the tables."""
    if loading:
        measure_loading()
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MSDM_CACHE"] = str(Path(folder) / "cache")
        checkpoint = Path(folder) / "random.ckpt"
        peer = build_checkpoint(checkpoint, seed)
        began = time.perf_counter()
        entry = adopt_checkpoints(NAME, [checkpoint], "random weights", "none")
        importing = time.perf_counter() - began
        checkpoint.unlink()
        told = subprocess.run(
            [sys.executable, __file__, "--loading"], check=True, capture_output=True, text=True
        )
        loaded = json.loads(told.stdout)
        model = load_model(NAME, Runtime("torch", "cpu", "fp32"))
        spec = model.spec
        shape, draws = (1, len(spec.stems), spec.chunk_length), {}

        def noise(step: int) -> Tensor:
            if step not in draws:
                draws[step] = torch.randn(shape, generator=torch.Generator().manual_seed(step))
            return draws[step].clone()

        def draw(step: int) -> Samples:
            return noise(step).numpy()

        mixture = SCALE * torch.randn(
            shape[0], shape[2], generator=torch.Generator().manual_seed(1 << 20)
        )
        # As many levels as are timed, from the middle of the published schedule.
        sigmas = np.append(karras_sigmas(150, 1e-4, 1.0)[60 : 60 + steps], 0.0)
        ways = {
            "authors' network, their loop": lambda: separate_as_published(
                peer, mixture, torch.from_numpy(sigmas).float(), noise
            ).numpy(),
            "ours": lambda: sample_published(
                model.denoiser,
                Dirac(mixture.numpy()),
                sigmas,
                draw,
                churn=CHURN,
                num_resamples=NUM_RESAMPLES,
            ),
        }
        found, seconds = {}, dict.fromkeys(ways, float("inf"))
        with torch.inference_mode():
            for _ in range(2):  # in turns; the better of each
                for name, run in ways.items():
                    began = time.perf_counter()
                    found[name] = run()
                    seconds[name] = min(seconds[name], time.perf_counter() - began)
    theirs, ours = found.values()
    calls = steps * NUM_RESAMPLES
    per_call = {name: value / calls for name, value in seconds.items()}
    slow, fast = per_call.values()
    presets = {
        name: calls_per_chunk(spec.preset("separate", name))
        for name in ("dirac", "fast", "default", "best")
    }
    size = entry.weights.size_bytes / 1e6
    lines = [
        f"`scripts/bench/published.py` on {platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}: "
        f"{spec.chunk_length} samples of four stems, 405 M random weights, float32.",
        "",
        "| separation loop | seconds per network call |",
        "|---|---|",
        *(f"| {name} | {value:.2f} |" for name, value in per_call.items()),
        "",
        f"{slow / fast:.2f} times as fast; the results differ by {np.sqrt(np.square(ours - theirs).mean()):.1e} RMS.",
        "",
        "| settings | network calls a chunk | seconds a chunk | times as fast as the authors' loop |",
        "|---|---|---|---|",
        f"| the authors' loop | {presets['dirac']} | {slow * presets['dirac']:.0f} | 1 |",
        *(
            f"| {name} | {count} | {fast * count:.0f} | {slow * presets['dirac'] / (fast * count):.1f} |"
            for name, count in presets.items()
        ),
        "",
        f"Importing the checkpoint takes {importing:.0f} s. Loading the {size:.0f} MB of weights takes "
        f"{loaded['seconds']:.1f} s and {loaded['peak']:.0f} MB at most.",
    ]
    print("\n".join(lines))
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
