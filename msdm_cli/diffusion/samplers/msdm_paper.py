"""The samplers that the paper published: one loop, and what each condition does in it.

Their conditions act on the noisy state or on the derivative, not on the denoised estimate as ours do
(``msdm_cli.diffusion.conditions``). They are kept to the last rounding, so that the paper's figures can be
reproduced. What a separation gives does not sum to the mixture before it is projected once more: the last step moves
the other stems after the anchor was set.

Source: MSDM, arXiv 2302.02257, algorithm 1 and appendix; churn: EDM, arXiv 2206.00364, algorithm 2; the repetition of
a step ("correction"): predictor-corrector sampling, arXiv 2011.13456.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.samplers.consistent import Noise
from msdm_cli.diffusion.schedule import list_levels


@dataclass(frozen=True)
class Unconditional:
    """Nothing is known: generation. The other conditions change one part of it each."""

    def merge(self, x: Samples, sigma: float, noise: Samples) -> Samples:
        """The state before a step's churn; ``noise`` is drawn once a step."""
        del sigma, noise
        return x

    def project(self, x: Samples) -> Samples:
        """The state after the churn."""
        return x

    def derivative(self, denoiser: Denoiser, x: Samples, sigma: float) -> Samples:
        """``d = (x - D) / sigma = dx/dsigma``, ``[B, S, T] -> [B, S, T]``."""
        return (x - denoiser(x, np.full(x.shape[:2], sigma, x.dtype))) / sigma

    def finish(self, x: Samples) -> Samples:
        """The result of the last step."""
        return x


@dataclass(frozen=True)
class Separation(Unconditional):
    """The sum of the stems is known.

    Attributes:
        mixture: Sum of the stems, ``[B, T]``.
    """

    mixture: Samples


@dataclass(frozen=True)
class Dirac(Separation):
    """Separation; one stem, the anchor, is what the others leave of the mixture.

    Unstable below about 7 steps per stem: an Euler step multiplies the error of the sum by
    ``1 - S (1 - sigma_next / sigma_hat)``.

    Attributes:
        anchor: Index of the anchor.
    """

    anchor: int = 0

    def project(self, x: Samples) -> Samples:
        """``x_a <- y - sum of the others``."""
        anchored = x.copy()
        anchored[:, self.anchor] = self.mixture - (x.sum(1) - x[:, self.anchor])
        return anchored

    def derivative(self, denoiser: Denoiser, x: Samples, sigma: float) -> Samples:
        """``d_m - d_a``; that of the anchor is 0."""
        d = super().derivative(denoiser, x, sigma)
        return d - d[:, self.anchor, None]


@dataclass(frozen=True)
class Gaussian(Separation):
    """Separation; the mixture is the sum of the stems and noise of ``mixture_scale * sigma``.

    Attributes:
        mixture_scale: Standard deviation of the mixture's noise, in units of sigma.
    """

    mixture_scale: float = 0.75

    def derivative(self, denoiser: Denoiser, x: Samples, sigma: float) -> Samples:
        """``d - sigma / (2 g^2) (y - sum x)``, ``g = mixture_scale * sigma``."""
        d = super().derivative(denoiser, x, sigma)
        return (
            d - sigma / (2 * (self.mixture_scale * sigma) ** 2) * (self.mixture - x.sum(1))[:, None]
        )


@dataclass(frozen=True)
class Known(Unconditional):
    """Imputation; what is known is put back with fresh noise before each step, and without noise at the end.

    Attributes:
        values: Values of the known samples, ``[B, S, T]``.
        known: Where ``values`` hold, ``[B, S, T]``.
    """

    values: Samples
    known: NDArray[np.bool_]

    def merge(self, x: Samples, sigma: float, noise: Samples) -> Samples:
        """``known + sigma * noise`` where it is known."""
        return np.where(self.known, self.values + sigma * noise, x)

    def finish(self, x: Samples) -> Samples:
        """``known`` where it is known."""
        return np.where(self.known, self.values, x)


def sample_published(
    denoiser: Denoiser,
    condition: Unconditional,
    sigmas: NDArray[np.float64],
    noise: Noise,
    *,
    churn: float = 0.0,
    num_resamples: int = 1,
) -> Samples:
    """Draw stems by the paper's loop.

    Args:
        denoiser: The network.
        condition: What is known.
        sigmas: Schedule, ``num_steps + 1`` levels, the last is 0.
        noise: Unit noise ``[B, S, T]`` by number: 0 is what the sampler starts from, and each step has
            ``2 * num_resamples + 1`` of its own (merge; then churn and re-noise of each repetition).
        churn: EDM's ``S_churn``: each step first multiplies sigma by ``1 + min(churn / num_steps, sqrt(2) - 1)``.
        num_resamples: How often each step is done; 2 is the paper's correction.

    Returns:
        Stems, ``[B, S, T]``. They do not sum to the mixture exactly.
    """
    levels = list_levels(sigmas)
    growth = 1 + min(churn / (len(levels) - 1), math.sqrt(2) - 1)
    x, number = levels[0] * noise(0), 1
    for sigma, sigma_next in pairwise(levels):
        merged = noise(number)
        for repetition in range(num_resamples):
            sigma_hat = sigma * growth
            x = condition.merge(x, sigma, merged)
            x = x + math.sqrt(sigma_hat**2 - sigma**2) * noise(number + 1 + 2 * repetition)
            x = condition.project(x)
            d = condition.derivative(denoiser, x, sigma_hat)
            x = x + d * (sigma_next - sigma_hat)
            if repetition < num_resamples - 1:
                x = x + math.sqrt(sigma**2 - sigma_next**2) * noise(number + 2 + 2 * repetition)
        number += 2 * num_resamples + 1
    return condition.finish(x)
