"""Sketches that a prior has drawn again, from some noise: they have the errors of those it draws.

A network that only ever hears of true sketches takes such errors for music (conditioning
augmentation by the stage before, arXiv 2106.15282).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Denoiser
from msdm_cli.diffusion.samplers.consistent import sample_consistent
from msdm_cli.diffusion.schedule import karras_sigmas
from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig

STEPS = 6
LAST_SIGMA = 0.3
RHO = 5.0
ETA = 0.6
"""Last level, curvature and new noise are those of the embedded model's presets."""


@cache
def open_prior(path: str) -> Denoiser:
    """The prior over sketches of a file of weights.

    Its config lies beside it in a run; otherwise it is that of the embedded model.
    """
    config = Path(path).with_name("config.json")
    fields: dict[str, Any] = json.loads(config.read_text()) if config.exists() else {}
    network = SketchPrior(SketchPriorConfig(**fields))
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return TorchDenoiser(network, torch.device("cpu"))


def draw_again(
    prior: Denoiser, codes: NDArray[np.float32], sigma: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Codes that a prior makes of codes with noise.

    Args:
        prior: The prior.
        codes: True ones.
        sigma: Of the noise; more than ``LAST_SIGMA``.
        rng: Draws it.

    Shape:
        ``[S, tokens * K] -> [S, tokens * K]``
    """
    sigmas = karras_sigmas(STEPS, LAST_SIGMA, sigma, RHO)
    shape = (1, *codes.shape)

    def noise(step: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape, dtype=np.float32)

    drawn = sample_consistent(prior, Condition(), sigmas, noise, eta=ETA, start=codes[None])
    return drawn[0].astype(np.float32)
