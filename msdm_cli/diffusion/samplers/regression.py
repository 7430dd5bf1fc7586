"""Separation in one network call: the posterior mean from the largest noise level.

At ``sigma_max`` the noisy stems say nothing, so ``D(0; sigma_max, y) ~ E[x0 | y]``: the network
acts as a regressor from the mixture to the stems. The mean over several moved copies of the music
(``msdm_cli.diffusion.moved``) is nearer to the truth than one answer. Of stereo music, copies may
be turned as well (``msdm_cli.diffusion.turned``), if the network hears one channel at a time.
"""

import math
from dataclasses import dataclass

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.moved import MovedDenoiser
from msdm_cli.diffusion.samplers.table import Preset, Problem, Sampler, average_samples
from msdm_cli.diffusion.turned import ANGLES, TurnedDenoiser, combine, is_stereo


@dataclass(frozen=True)
class RegressionOptions:
    """Options of the regression.

    Attributes:
        estimates: Number of network calls, each on the music moved in another way.
        sigma_max: Noise level that a refinement starts from, if steps are asked for.
        turned: Whether each call gets stereo music turned by another angle, for networks that hear
            one channel at a time.
    """

    estimates: int = 1
    sigma_max: float = 10.0
    turned: bool = False

    def __post_init__(self) -> None:
        if self.estimates < 1 or not 0 < self.sigma_max < math.inf:
            raise ValueError(f"expected estimates >= 1 and sigma_max > 0, got {self}")

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        return self.estimates

    @property
    def uses_noise(self) -> bool:
        """The result does not depend on the noise."""
        return False


def draw_regression(denoiser: Denoiser, problem: Problem, options: RegressionOptions) -> Samples:
    """The mean of the network's estimates, weighted if they are turned, ``[B, S, T]``."""
    return estimate_stems(denoiser, problem, options.estimates, turned=options.turned)


def estimate_stems(
    denoiser: Denoiser, problem: Problem, count: int = 1, *, turned: bool = False
) -> Samples:
    """The mean of ``count`` estimates from what is known alone, ``[B, S, T]``.

    If they are ``turned``, and the mixture is stereo, it is a weighted mean.
    """
    condition = problem.condition
    silence = np.zeros(problem.shape, np.float32)
    start = condition.start(denoiser, silence, 0.0, silence)

    def estimate(index: int, angle: float = 0.0) -> Samples:
        moved = MovedDenoiser(TurnedDenoiser(denoiser, angle), index, problem.length_multiple)
        return condition.denoise(moved, start, problem.sigma_max)

    if not (turned and is_stereo(condition.mixture)):
        return average_samples(problem.shape, count, estimate)
    angles = [ANGLES[index % len(ANGLES)] for index in range(count)]
    combined = combine([estimate(*pair) for pair in enumerate(angles)], angles)
    return condition.project(combined, problem.sigma_max)


def refine_estimate(options: RegressionOptions, num_steps: int) -> Preset:
    """The preset of the consistent sampler that starts from one estimate."""
    # By name: the module of the consistent sampler imports this one.
    return Preset.from_json(
        {
            "sampler": "consistent",
            "num_steps": num_steps,
            "sigma_max": options.sigma_max,
            "warm_start": True,
        }
    )


REGRESSION = Sampler("regression", RegressionOptions, draw_regression, with_steps=refine_estimate)
