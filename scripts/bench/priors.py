"""The paper's samplers on small networks of our own, joint and per stem, and our ways beside them, at one budget.

    python scripts/bench/priors.py DATA RUNS --steps 2000 --output scripts/bench/priors.md

Three kinds of networks of one size learn from the same songs, in the same number of steps in all: a joint prior (one
sigma, no mixture), four priors of one stem each (the paper's second family, a quarter of the steps each), and what the
embedded model is (a sigma per stem, the mixture as an input). Then the paper's ten ways of separating, but that its two
rows of Demucs, which has no prior, are here our projection on the joint prior and one call of the network that is told
the mixture.
"""

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from ablations import train_variant
from quality import Method, by_model, list_songs, load_stems, tell_scores

from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.models.adopt import published_presets
from msdm_cli.models.checkpoint import load_run
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.spec import ModelSpec, Preset
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.tasks.sampling import calls_per_chunk

SMALL = {"channels": [32, 64, 128], "blocks": [1, 1, 1], "attention_layers": 1, "heads": 4}
PRIOR = {"questions": {"regress": 0.0, "refine": 0.0, "refine_known": 0.0, "impute": 0.0}}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Prior:
    """One joint prior, or one for each stem, as a denoiser that is told no mixture."""

    networks: tuple[TorchDenoiser, ...]
    takes_mixture: bool = False
    shares_sigma: bool = True

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems."""
        del mixture
        parts = zip(*(np.split(array, len(self.networks), 1) for array in (x, sigma)), strict=True)
        found = [network(*part) for network, part in zip(self.networks, parts, strict=True)]
        return np.concatenate(found, 1)


def load_denoiser(run: Path) -> TorchDenoiser:
    """The best weights of a run."""
    tensors, config = load_run(run)
    network = StftUnet(StftUnetConfig(**config))
    network.load_state_dict(tensors)
    return TorchDenoiser(network, CPU)


def train_all(data: Path, runs: Path, stems: tuple[str, ...], steps: int, extra: str) -> list[str]:
    """Train the networks, two at a time; a table of what it took."""
    runs.mkdir(parents=True, exist_ok=True)
    config = runs / "small.json"
    config.write_text(json.dumps(SMALL))
    prior = ["--recipe", json.dumps(PRIOR)]
    asked = {"joint": (prior, steps), "told": ([], steps)}
    asked |= {stem: ([*prior, "--stem", stem], steps // len(stems)) for stem in stems}
    common = ["--config", str(config), *shlex.split(extra)]
    with ThreadPoolExecutor(2) as pool:
        begun = {}
        for name, (arguments, count) in asked.items():
            schedule = [
                "--steps",
                str(count),
                "--decay-steps",
                str(count // 2),
                "--validate-every",
                str(count),
            ]
            begun[name] = pool.submit(
                train_variant, data, runs / name, [*common, *schedule, *arguments], None
            )
        found = {name: future.result() for name, future in begun.items()}
    lines = [
        "| network | steps | minutes | error at sigma 0.05 | at 0.3 | at 1 |",
        "|---" * 6 + "|",
    ]
    for name, figures in found.items():
        errors = [f"{figures[f'denoise_{sigma}']:.3f}" for sigma in (0.05, 0.3, 1.0)]
        lines.append(
            f"| {name} | {figures['step']} | {figures['minutes']:.0f} | {' | '.join(errors)} |"
        )
    return lines


def list_methods(spec: ModelSpec, runs: Path, num_steps: int) -> list[Method]:
    """The ways to separate, on the trained networks."""

    def method(name: str, denoiser: Prior | TorchDenoiser, preset: Preset) -> Method:
        model = Model(spec, denoiser, Runtime("torch", "cpu", "fp32"))
        return Method(name, calls_per_chunk(preset), by_model(model, preset, 0))

    families = {
        "per stem": Prior(tuple(load_denoiser(runs / stem) for stem in spec.stems)),
        "joint": Prior((load_denoiser(runs / "joint"),)),
    }
    methods = []
    for likelihood in ("dirac", "gaussian"):
        for family, prior in families.items():
            corrected = published_presets(per_stem=family == "per stem")["separate"][
                likelihood
            ].with_steps(num_steps)
            for preset, told in (
                (replace(corrected, num_resamples=1), ""),
                (corrected, ", with correction"),
            ):
                methods.append(method(f"{family}, {likelihood}{told}", prior, preset))
    ours = published_presets(per_stem=False)["separate"]["default"]
    return [
        *methods,
        method("joint, ours", families["joint"], ours),
        method(
            "told the mixture, ours", load_denoiser(runs / "told"), spec.preset("separate", "fast")
        ),
    ]


def main(
    data: Path,
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Receives a run per network.")],
    *,
    steps: Annotated[int, typer.Option(help="Of training, per kind.")] = 2000,
    training: Annotated[
        str, typer.Option(help="More for scripts/train.py.")
    ] = "--batch 6 --length 49152",
    num_steps: Annotated[int, typer.Option(help="Of the paper's samplers.")] = 150,
    songs: int = 4,
    seconds: float = 6.0,
    output: Annotated[Path | None, typer.Option(help="Write the tables there too.")] = None,
) -> None:
    """Train, separate, and print the tables."""
    embedded = load_model("embedded", Runtime(device="cpu"))
    names = embedded.spec.stems
    lines = [
        f"`scripts/bench/priors.py`: {steps} steps a kind; errors are relative to a static Wiener filter.",
        "",
    ]
    lines += train_all(data, runs, names, steps, training)
    excerpts = [
        load_stems(folder, names, seconds) for folder in list_songs(data / "validation")[:songs]
    ]
    lines += [
        "",
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs; {num_steps} steps.",
        "",
    ]
    print("\n".join(lines), flush=True)
    lines += tell_scores(list_methods(embedded.spec, runs, num_steps), excerpts, embedded)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
