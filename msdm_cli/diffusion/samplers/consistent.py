"""Our sampler: every step moves around an estimate that agrees with what is known.

Each step moves from ``sigma`` to ``sigma_next`` around the conditioned estimate ``D_c``:

    x' = D_c + sigma_next * (sqrt(1 - eta^2) * (x - D_c) / sigma + eta * noise)

With eta = 0 this is Euler's method on the probability-flow ODE. With eta = 1 all noise is renewed
in each step. The estimate stands for the clean stems, so renewed noise lacks their spread around
it: many steps at eta = 1 approach the posterior mean, which is what separation needs. A sample of
the right variance needs a small eta. The step to sigma 0 returns ``D_c``.

Source: ODE, arXiv 2206.00364, eq. 1; renewed noise, DDIM, arXiv 2010.02502, eq. 12.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.samplers.regression import estimate_stems
from msdm_cli.diffusion.samplers.table import Noise, Problem, Sampler, average_samples
from msdm_cli.diffusion.schedule import check_schedule, karras_sigmas, list_levels


@dataclass(frozen=True)
class ConsistentOptions:
    """Options of our sampler.

    Attributes:
        num_steps: Number of steps.
        sigma_max: First noise level.
        sigma_min: Last noise level before 0.
        rho: Curvature of the schedule (arXiv 2206.00364, eq. 5).
        eta: Share of new noise in each step: 0 is the probability-flow ODE, 1 renews the noise.
        samples: Number of samples that are averaged.
        warm_start: Whether to start from the network's estimate instead of from silence.
    """

    num_steps: int
    sigma_max: float
    sigma_min: float = 1e-3
    rho: float = 7.0
    eta: float = 1.0
    samples: int = 1
    warm_start: bool = False

    def __post_init__(self) -> None:
        check_schedule(self.num_steps, self.sigma_min, self.sigma_max, self.rho)
        if self.samples < 1 or not 0 <= self.eta <= 1:
            raise ValueError(f"expected samples >= 1 and eta from 0 to 1, got {self}")

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        return self.num_steps * self.samples + int(self.warm_start)

    @property
    def uses_noise(self) -> bool:
        """The result depends on the noise."""
        return True


def draw_consistent(denoiser: Denoiser, problem: Problem, options: ConsistentOptions) -> Samples:
    """The mean of several samples, ``[B, S, T]``."""
    start = estimate_stems(denoiser, problem) if options.warm_start else None
    sigmas = karras_sigmas(options.num_steps, options.sigma_min, options.sigma_max, options.rho)

    def draw(index: int) -> Samples:
        return draw_sample(denoiser, problem, sigmas, index, eta=options.eta, start=start)

    return average_samples(problem.shape, options.samples, draw)


def draw_sample(
    denoiser: Denoiser,
    problem: Problem,
    sigmas: NDArray[np.float64],
    index: int,
    *,
    eta: float,
    start: Samples | None = None,
) -> Samples:
    """Sample ``index`` of a problem, with its own noise, ``[B, S, T]``."""
    return sample_consistent(
        denoiser,
        problem.condition,
        sigmas,
        lambda number: problem.noise(number, index),
        eta=eta,
        start=start,
    )


def sample_consistent(
    denoiser: Denoiser,
    condition: Condition,
    sigmas: NDArray[np.float64],
    noise: Noise,
    *,
    eta: float = 1.0,
    start: Samples | None = None,
) -> Samples:
    """Draw one sample of the stems, given what is known about them.

    Args:
        denoiser: The network.
        condition: What is known.
        sigmas: ``num_steps + 1`` noise levels; the last is 0.
        noise: Noise of each step; number 0 is that of the start.
        eta: Share of new noise, 0 to 1.
        start: First estimate ``[B, S, T]``; silence if None.

    Returns:
        Clean stems ``[B, S, T]`` that agree with the condition.
    """
    levels = list_levels(sigmas)
    unit = noise(0)
    x = condition.start(denoiser, np.zeros_like(unit) if start is None else start, levels[0], unit)
    unknown = condition.noisy_stems(denoiser, x)[:, :, None]
    denoised = x
    for step, (sigma, sigma_next) in enumerate(pairwise(levels), start=1):
        denoised = condition.denoise(denoiser, x, sigma)
        if sigma_next == 0:
            break
        x = denoised + math.sqrt(1 - eta**2) * sigma_next / sigma * (x - denoised)
        if eta > 0:
            x = x + eta * sigma_next * noise(step) * unknown
    return denoised


CONSISTENT = Sampler("consistent", ConsistentOptions, draw_consistent)
