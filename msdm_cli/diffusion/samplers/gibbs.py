"""Gibbs sampling: stems in turn, each estimated again from the mixture and the other stems.

It begins with one estimate of all stems. In each step, one stem is not known, and the others have a
little noise, so that the network does not take their errors for truth:

    x_n = D_n(x + sigma * noise; sigma, y)      with sigma = sigma_max for stem n

Stems that are known throughout have no turn and no noise. The last answer is returned as a whole,
so that the stems sum to the mixture.

Source: Manilow et al. 2022, arXiv 2203.15140, whose network is trained for it.
"""

import math
from dataclasses import dataclass

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.samplers.regression import estimate_stems
from msdm_cli.diffusion.samplers.table import Problem, Sampler


@dataclass(frozen=True)
class GibbsOptions:
    """Options of Gibbs sampling.

    Attributes:
        num_steps: Number of stems that are estimated again, in turn.
        sigma: Noise of the other stems.
    """

    num_steps: int
    sigma: float = 1e-3

    def __post_init__(self) -> None:
        if self.num_steps < 1 or not 0 < self.sigma < math.inf:
            raise ValueError(f"expected num_steps >= 1 and sigma > 0, got {self}")

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        return self.num_steps + 1

    @property
    def uses_noise(self) -> bool:
        """The result depends on the noise."""
        return True


def draw_gibbs(denoiser: Denoiser, problem: Problem, options: GibbsOptions) -> Samples:
    """Stems after all steps, ``[B, S, T]``.

    Raises:
        ValueError: The network has one noise level for all stems.
    """
    if denoiser.shares_sigma:
        raise ValueError("expected a network with a noise level for each stem")
    condition = problem.condition
    mixture = condition.mixture if denoiser.takes_mixture else None
    x = denoised = estimate_stems(denoiser, problem)
    unknown = condition.unknown_stems(x)
    turns = np.flatnonzero(unknown.any(0))
    for step in range(options.num_steps):
        turn = turns[step % len(turns)]
        levels = np.float32(options.sigma) * unknown
        noisy = x + np.float32(options.sigma) * problem.noise(step, 0) * unknown[:, :, None]
        levels[:, turn] = problem.sigma_max
        # At sigma_max a stem says nothing, as in the first estimate.
        noisy[:, turn] = 0
        denoised = condition.project(denoiser(noisy, levels, mixture), options.sigma)
        x = x.copy()
        x[:, turn] = denoised[:, turn]
    return denoised


GIBBS = Sampler("gibbs", GibbsOptions, draw_gibbs, without_mixture=False)
