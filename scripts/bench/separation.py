"""Ways to separate that benches compare: models, and what needs no model."""

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from safetensors.torch import load_file

from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.interface import Model, load_model
from msdm_cli.models.spec import QUALITIES
from msdm_cli.networks.stft_unet import StftUnet

Separator = Callable[[Samples], Samples]
"""True stems in (for their sum, and for oracles), estimates out, ``[S, T] -> [S, T]``."""


@dataclass(frozen=True)
class Method:
    """A way to separate.

    Attributes:
        name: What a table calls it.
        calls: Network calls for a chunk.
        separate: Separates the sum of stems.
    """

    name: str
    calls: int
    separate: Separator


WeightsOption = Annotated[
    Path | None, typer.Option(help="Weights of the network, if not those that ship.")
]


def load_separator(weights: Path | None) -> Model:
    """The embedded model on the CPU, with other weights of its separator if there are any."""
    model = load_model(device="cpu")
    if weights:
        get_network(model).load_state_dict(load_file(weights))
    return model


def with_preset(model: Model, task: str, preset: Preset) -> Model:
    """The model with another default preset of a task's last stage."""
    stages = list(model.spec.stages)
    last = model.spec.list_stages(task)[-1]
    presets = dict(stages[last].presets)
    presets[task] = {**presets[task], "default": preset}
    stages[last] = dataclasses.replace(stages[last], presets=presets)
    spec = dataclasses.replace(model.spec, stages=tuple(stages))
    return dataclasses.replace(model, spec=spec)


def by_model(
    model: Model, preset: Preset, seed: int = 0, absent: Collection[str] = ()
) -> Separator:
    """Separation by a model with a preset, which is told that stems are absent."""
    chosen = with_preset(model, "separate", preset)

    def separate(stems: Samples) -> Samples:
        mixture = stems.sum(0)
        estimates = chosen.separate(
            mixture, chosen.spec.sample_rate, seed=seed, absent=tuple(absent)
        )
        silence = np.zeros_like(mixture)
        return np.stack([estimates.get(name, silence) for name in chosen.spec.stems])

    return separate


def by_static_wiener(model: Model) -> Separator:
    """The embedded network before training: shares by the mean spectra of the training songs."""
    network = get_network(model)

    def separate(stems: Samples) -> Samples:
        mixture = np.pad(stems.sum(0), (0, -stems.shape[1] % network.stft.hop))
        observed = network.stft(torch.from_numpy(mixture)[None])
        absent = torch.zeros(1, len(stems), *observed.shape[1:])
        sigma = torch.full((1, len(stems)), model.spec.sigma_max)
        estimate = network.posterior(absent, sigma, observed, torch.ones(1))
        return network.stft.inverse(estimate)[0, :, : stems.shape[1]].numpy()

    return separate


def get_network(model: Model) -> StftUnet:
    """The network of the embedded model in PyTorch."""
    denoiser = model.denoisers[0]
    assert isinstance(denoiser, TorchDenoiser)
    assert isinstance(denoiser.network, StftUnet)
    return denoiser.network


def name_presets(model: Model) -> dict[str, Preset]:
    """Presets of separation by their qualities; those of one preset share a name."""
    names: dict[Preset, list[str]] = {}
    for quality in QUALITIES:
        names.setdefault(model.spec.preset("separate", quality), []).append(quality)
    return {", ".join(qualities): preset for preset, qualities in names.items()}
