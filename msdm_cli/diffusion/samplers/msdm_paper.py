"""The samplers of the MSDM paper.

Their conditions act on the noisy stems or on the derivative. Those of our own sampler act on the
denoised estimate (``msdm_cli.diffusion.conditions``). The paper's loops are reproduced to the last
bit, so that its figures can be reproduced. After the last step of a separation the stems do not
sum to the mixture, so the result is projected onto the condition once.

Source: MSDM, arXiv 2302.02257, algorithm 1 and appendix; churn, EDM, arXiv 2206.00364, algorithm 2;
repeated steps ("correction"), predictor-corrector sampling, arXiv 2011.13456.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.samplers.table import Problem, Sampler
from msdm_cli.diffusion.schedule import check_schedule, karras_sigmas, list_levels

Differential = Callable[[Samples, float], tuple[Samples, Samples]]
"""The state, perhaps corrected, and its derivative ``dx/dsigma``, from a state and its sigma."""

Merge = Callable[[Samples, float, Samples], Samples]
"""The state with what is known put back, from a state, its sigma and unit noise."""


@dataclass(frozen=True)
class PaperOptions:
    """Options that all samplers of the paper have.

    Attributes:
        num_steps: Number of steps.
        sigma_max: First noise level.
        sigma_min: Last noise level before 0.
        rho: Curvature of the schedule (arXiv 2206.00364, eq. 5).
        churn: EDM's ``S_churn``: a step first multiplies sigma by
            ``1 + min(churn / num_steps, sqrt(2) - 1)`` and adds noise to match.
        num_resamples: How often each step is made; 2 is the paper's correction.
    """

    num_steps: int
    sigma_max: float
    sigma_min: float = 1e-4
    rho: float = 7.0
    churn: float = 0.0
    num_resamples: int = 1

    def __post_init__(self) -> None:
        check_schedule(self.num_steps, self.sigma_min, self.sigma_max, self.rho)
        if self.num_resamples < 1 or not 0 <= self.churn < math.inf:
            raise ValueError(f"expected num_resamples >= 1 and churn >= 0, got {self}")

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        return self.num_steps * self.num_resamples

    @property
    def uses_noise(self) -> bool:
        """The result depends on the noise."""
        return True


@dataclass(frozen=True)
class DiracOptions(PaperOptions):
    """Options of the Dirac sampler.

    Attributes:
        anchor: Index of the stem that takes what the others leave of the mixture.
    """

    anchor: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.anchor < 0:
            raise ValueError(f"expected anchor >= 0, got {self.anchor}")


@dataclass(frozen=True)
class GaussianOptions(PaperOptions):
    """Options of the Gaussian sampler.

    Attributes:
        mixture_scale: Standard deviation of the mixture's noise, in units of sigma.
    """

    mixture_scale: float = 0.75

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.mixture_scale < math.inf:
            raise ValueError(f"expected mixture_scale > 0, got {self.mixture_scale}")


def draw_dirac(denoiser: Denoiser, problem: Problem, options: DiracOptions) -> Samples:
    """Separate: one stem, the anchor, is what the other stems leave of the mixture.

    It is unstable below about 7 steps per stem: an Euler step multiplies the error of the sum by
    ``1 - S (1 - sigma_next / sigma_hat)``.

    Raises:
        ValueError: There is no such anchor.
    """
    mixture = _get_mixture(problem)
    anchor = options.anchor
    if anchor >= problem.shape[1]:
        raise ValueError(f"expected an anchor below {problem.shape[1]}, got {anchor}")

    def differential(x: Samples, sigma: float) -> tuple[Samples, Samples]:
        # x_a <- y - sum of the others; then d_m - d_a, which is 0 for the anchor.
        anchored = x.copy()
        anchored[:, anchor] = mixture - (x.sum(1) - x[:, anchor])
        d = find_derivative(denoiser, anchored, sigma)
        return anchored, d - d[:, anchor, None]

    drawn = _run_loop(problem, options, differential)
    return problem.condition.project(drawn, options.sigma_min)


def draw_gaussian(denoiser: Denoiser, problem: Problem, options: GaussianOptions) -> Samples:
    """Separate: the mixture is the sum of the stems and Gaussian noise."""
    mixture = _get_mixture(problem)

    def differential(x: Samples, sigma: float) -> tuple[Samples, Samples]:
        # d - sigma / (2 g^2) (y - sum x), with g = mixture_scale * sigma.
        d = find_derivative(denoiser, x, sigma)
        weight = sigma / (2 * (options.mixture_scale * sigma) ** 2)
        return x, d - weight * (mixture - x.sum(1))[:, None]

    drawn = _run_loop(problem, options, differential)
    return problem.condition.project(drawn, options.sigma_min)


def draw_published(denoiser: Denoiser, problem: Problem, options: PaperOptions) -> Samples:
    """Generate, or impute: known samples get the noise of the step before each repetition of it."""
    known = problem.condition.known
    values = problem.condition.values
    merge = None if known is None or values is None else partial(_put_back, known, values)

    def differential(x: Samples, sigma: float) -> tuple[Samples, Samples]:
        return x, find_derivative(denoiser, x, sigma)

    drawn = _run_loop(problem, options, differential, merge)
    return problem.condition.project(drawn, options.sigma_min)


def _put_back(
    known: NDArray[np.bool_], values: Samples, x: Samples, sigma: float, noise: Samples
) -> Samples:
    """The state with the known samples at noise level sigma, ``[B, S, T]``."""
    return np.where(known, values + sigma * noise, x)


def find_derivative(denoiser: Denoiser, x: Samples, sigma: float) -> Samples:
    """``d = (x - D(x; sigma)) / sigma = dx/dsigma``, ``[B, S, T] -> [B, S, T]``."""
    return (x - denoiser(x, np.full(x.shape[:2], sigma, x.dtype))) / sigma


def _run_loop(
    problem: Problem, options: PaperOptions, differential: Differential, merge: Merge | None = None
) -> Samples:
    """The loop that the paper's samplers share, ``[B, S, T]``.

    Number 0 of the noise is that of the start. Each step has ``2 * num_resamples + 1`` numbers:
    that of ``merge``, then two for each repetition (churn and renewed noise).
    """
    sigmas = karras_sigmas(options.num_steps, options.sigma_min, options.sigma_max, options.rho)
    levels = list_levels(sigmas)
    growth = 1 + min(options.churn / options.num_steps, math.sqrt(2) - 1)
    x = levels[0] * problem.noise(0, 0)
    for step, (sigma, sigma_next) in enumerate(pairwise(levels)):
        first = 1 + step * (2 * options.num_resamples + 1)
        for repetition in range(options.num_resamples):
            sigma_hat = sigma * growth
            if merge is not None:
                x = merge(x, sigma, problem.noise(first, 0))
            churned = problem.noise(first + 1 + 2 * repetition, 0)
            x = x + math.sqrt(sigma_hat**2 - sigma**2) * churned
            x, d = differential(x, sigma_hat)
            x = x + d * (sigma_next - sigma_hat)
            if repetition < options.num_resamples - 1:
                renewed = problem.noise(first + 2 + 2 * repetition, 0)
                x = x + math.sqrt(sigma**2 - sigma_next**2) * renewed
    return x


def _get_mixture(problem: Problem) -> Samples:
    mixture = problem.condition.mixture
    if mixture is None:
        raise ValueError("expected a mixture, got none")
    return mixture


DIRAC = Sampler(
    "dirac", DiracOptions, draw_dirac, without_mixture=False, with_known=False, exact=True
)
GAUSSIAN = Sampler(
    "gaussian", GaussianOptions, draw_gaussian, without_mixture=False, with_known=False, exact=True
)
PUBLISHED = Sampler("published", PaperOptions, draw_published, with_mixture=False, exact=True)
