"""The sampler: from noise to stems, under any condition."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.schedule import list_levels

Noise = Callable[[int], Samples]
"""Unit noise ``[B, S, T]`` of a step; step 0 is what the sampler starts from."""

SOLVERS = ("euler", "heun", "dpmpp_2m")


def sample(
    denoiser: Denoiser,
    condition: Condition,
    sigmas: NDArray[np.float64],
    noise: Noise,
    *,
    eta: float = 1.0,
    solver: str = "euler",
    start: Samples | None = None,
) -> Samples:
    """Draw stems from the posterior of a condition.

    Each step moves from ``sigma`` to ``sigma_next`` around the conditioned estimate ``D_c``:

        x' = D_c + sigma_next * (sqrt(1 - eta^2) * (x - D_c) / sigma + eta * noise)

    With eta = 0 that is Euler's method on the probability-flow ODE (arXiv 2206.00364, eq. 1), with eta = 1 full
    re-noise (DDIM, arXiv 2010.02502, eq. 12). The estimate stands in for the clean stems, so what noise is drawn anew
    loses the spread around it: many steps at eta = 1 approach the mean of the posterior, which is what separation
    wants; a sample of the right variance needs a small eta. The step to sigma 0 returns ``D_c``.

    Two solvers are of second order in the step. DPM-Solver++(2M) puts ``D_c``, extrapolated from the last two levels,
    in the place of ``D_c``, and costs nothing (arXiv 2211.01095, algorithm 2). Heun's method averages the derivatives
    at both ends of a step, and costs a second call (arXiv 2206.00364, algorithm 1).

    Args:
        denoiser: The network.
        condition: What is known.
        sigmas: Schedule, ``num_steps + 1`` levels, the last is 0.
        noise: Noise of each step; a function of the step alone.
        eta: Share of new noise, 0 to 1; 0 for heun.
        solver: euler, heun or dpmpp_2m.
        start: First estimate for a warm start, ``[B, S, T]``; nothing if None.

    Returns:
        Clean stems, ``[B, S, T]``, that agree with the condition.
    """
    levels = list_levels(sigmas)
    if solver not in SOLVERS or (solver == "heun" and eta > 0):
        raise ValueError(
            f"expected a solver of {', '.join(SOLVERS)}, eta 0 for heun, got {solver} with eta {eta}"
        )
    unit = noise(0)
    x = condition.start(denoiser, np.zeros_like(unit) if start is None else start, levels[0], unit)
    free = condition.noisy_stems(denoiser, x)[:, :, None]
    denoised = last = x
    for step, (sigma, sigma_next) in enumerate(pairwise(levels), start=1):
        last, denoised = denoised, condition.denoise(denoiser, x, sigma)
        if sigma_next == 0:
            break
        estimate = denoised
        if solver == "dpmpp_2m" and step > 1:
            ahead = math.log(sigma / sigma_next) / math.log(levels[step - 2] / sigma)
            estimate = denoised + ahead / 2 * (denoised - last)
        moved = estimate + math.sqrt(1 - eta**2) * sigma_next / sigma * (x - estimate)
        if solver == "heun":
            d = (x - denoised) / sigma
            d_next = (moved - condition.denoise(denoiser, moved, sigma_next)) / sigma_next
            moved = x + (sigma_next - sigma) / 2 * (d + d_next)
        x = moved
        if eta > 0:
            x = x + eta * sigma_next * noise(step) * free
    return denoised
