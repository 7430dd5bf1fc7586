"""The paper's samplers on small networks of our own, and our ways beside them, at one budget.

    python -m scripts.bench.priors DATA RUNS --steps 2000 --output scripts/bench/priors.md

Three kinds of networks of one size learn from the same songs, in the same number of steps in all: a
joint prior (one sigma, no mixture), four priors of one stem each (the paper's second family, a
quarter of the steps each), and what the embedded model is (a sigma per stem, the mixture as an
input). Then the paper's ten ways of separating; its two rows of Demucs, which has no prior, are
replaced by our projection on the joint prior and one call of the network with the mixture.
"""

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.interface import Model, load_model
from msdm_cli.models.checkpoint import load_run
from msdm_cli.models.paper_presets import published_presets
from msdm_cli.models.spec import ModelSpec
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from scripts.bench.report import OutputOption, Report
from scripts.bench.scores import add_scores
from scripts.bench.separation import Method, by_model
from scripts.bench.variants import Variant, schedule, train_all
from scripts.songs import list_songs, load_middle
from scripts.train.validation import SIGMAS

SMALL = {"channels": [32, 64, 128], "blocks": [1, 1, 1], "attention_layers": 1, "heads": 4}
PRIOR = {"questions": {"regress": 0.0, "refine": 0.0, "refine_known": 0.0, "impute": 0.0}}
JOINT = "joint"
WITH_MIXTURE = "with the mixture"


class Prior:
    """One joint prior, or one for each stem, as a denoiser that takes no mixture.

    Args:
        networks: The joint one, or one for each stem.
    """

    takes_mixture = False
    shares_sigma = True

    def __init__(self, *networks: TorchDenoiser) -> None:
        self.networks = networks

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems."""
        del mixture
        count = len(self.networks)
        parts = zip(np.split(x, count, 1), np.split(sigma, count, 1), strict=True)
        found = [network(*part) for network, part in zip(self.networks, parts, strict=True)]
        return np.concatenate(found, 1)


def load_denoiser(runs: Path, name: str) -> TorchDenoiser:
    """The best weights of a run."""
    tensors, config = load_run(runs / name_folder(name))
    network = StftUnet(StftUnetConfig(**config))
    network.load_state_dict(tensors)
    return TorchDenoiser(network, torch.device("cpu"))


def name_folder(network: str) -> str:
    """Name of the folder of a network's run."""
    return network.replace(" ", "-")


def add_training(
    report: Report, data: Path, runs: Path, stems: tuple[str, ...], steps: int, extra: str
) -> None:
    """Train the networks, two at a time, and add the table of their errors."""
    runs.mkdir(parents=True, exist_ok=True)
    config = runs / "small.json"
    config.write_text(json.dumps(SMALL))
    prior = ["--recipe", json.dumps(PRIOR)]
    asked = {JOINT: (prior, steps), WITH_MIXTURE: ([], steps)}
    asked |= {stem: ([*prior, "--stem", stem], steps // len(stems)) for stem in stems}
    common = ["--config", str(config), *shlex.split(extra)]
    variants = {
        name: Variant(runs / name_folder(name), [*common, *schedule(count), *arguments])
        for name, (arguments, count) in asked.items()
    }
    report.begin_table("network", "steps", "minutes", "error at sigma 0.05", "at 0.3", "at 1")
    for name, figures in train_all(variants, data, None, jobs=2).items():
        errors = [f"{figures[f'denoise_{sigma}']:.3f}" for sigma in SIGMAS]
        report.row(name, figures["step"], f"{figures['minutes']:.0f}", *errors)


def list_methods(spec: ModelSpec, runs: Path, num_steps: int) -> list[Method]:
    """The ways to separate, on the trained networks."""

    def method(name: str, denoiser: Denoiser, preset: Preset) -> Method:
        model = Model(spec, (denoiser,), Runtime("torch", "cpu", "fp32"))
        return Method(name, preset.calls, by_model(model, preset))

    families = {
        "per stem": Prior(*(load_denoiser(runs, stem) for stem in spec.stems)),
        "joint": Prior(load_denoiser(runs, JOINT)),
    }
    methods = []
    for likelihood in ("dirac", "gaussian"):
        for family, prior in families.items():
            presets = published_presets(per_stem=family == "per stem")["separate"]
            corrected = presets[likelihood].with_steps(num_steps)
            plain = dataclasses.replace(corrected.options, num_resamples=1)
            name = f"{family}, {likelihood}"
            methods.append(method(name, prior, Preset(likelihood, plain)))
            methods.append(method(f"{name}, with correction", prior, corrected))
    ours = published_presets(per_stem=False)["separate"]["default"]
    fast = spec.preset("separate", "fast")
    return [
        *methods,
        method("joint, ours", families["joint"], ours),
        method(f"{WITH_MIXTURE}, ours", load_denoiser(runs, WITH_MIXTURE), fast),
    ]


def main(  # noqa: PLR0913  the options of a command
    data: Annotated[Path, typer.Argument(help="Folder with train/ and validation/.")],
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Receives a run per network.")],
    *,
    steps: Annotated[int, typer.Option(help="Of training, per kind.")] = 2000,
    training: Annotated[
        str, typer.Option(help="More for scripts.train.")
    ] = "--batch 6 --length 49152",
    num_steps: Annotated[int, typer.Option(help="Of the paper's samplers.")] = 150,
    songs: Annotated[int, typer.Option(help="Held-out songs that are separated.")] = 4,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 6.0,
    output: OutputOption = None,
) -> None:
    """Train, separate, and print the tables."""
    spec = load_model(device="cpu").spec
    report = Report(
        f"Small networks after {steps} steps a kind, by `python -m scripts.bench.priors`. Squared "
        "errors of denoising are relative to a static Wiener filter."
    )
    add_training(report, data, runs, spec.stems, steps, training)
    folders = list_songs(data / "validation")[:songs]
    excerpts = [load_middle(folder, seconds) for folder in folders]
    report.write(
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs; "
        f"{num_steps} steps."
    )
    add_scores(report, list_methods(spec, runs, num_steps), excerpts, spec)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
