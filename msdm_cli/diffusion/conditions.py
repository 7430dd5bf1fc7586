"""What is known of the stems, imposed on the denoised estimate.

A condition turns ``D ~ E[x0 | x]`` into ``D_c ~ E[x0 | x, what is known]``, by projections of the estimate rather than
of the noisy state, so that any sampler may use it at any number of steps (DDNM, arXiv 2212.00490):

- Known samples: ``D_c = known`` there, exactly.
- Mixture y: the residual ``e = y - sum D`` is shared out among the stems that are not known,
  ``D_c,n = D_n + iSTFT(v_n / sum v * STFT(e))`` with ``v_n`` the stem's uncertainty in a bin. The shares sum to one and
  the transform is linear and exact, so the stems sum to y. Equal shares are DDNM's; ``v_n ~ |D_n|^2`` is a Wiener
  filter whose spectra come from the prior (mixture consistency, arXiv 1811.08521).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.stft import Stft, Transform

ShareWeights = Callable[[Transform, float], Samples]
"""Uncertainty ``v >= 0`` of each stem in each bin, from the transform of the estimate and sigma, ``[B, S, frames, bins]
-> [B, S, frames, bins]``."""


@dataclass(frozen=True)
class Condition:
    """What is known; nothing by default.

    Attributes:
        mixture: Sum of the stems, ``[B, T]``.
        values: Values of the known samples, ``[B, S, T]``.
        known: Where ``values`` hold, ``[B, S, T]``.
        stft: Transform that the residual is shared out in.
        weights: How it is shared out; equally if None.
    """

    mixture: Samples | None = None
    values: Samples | None = None
    known: NDArray[np.bool_] | None = None
    stft: Stft | None = None
    weights: ShareWeights | None = None

    def __post_init__(self) -> None:
        if (self.values is None) != (self.known is None):
            raise ValueError("expected values and known together, got one of them")
        if (self.stft is None) != (self.weights is None):
            raise ValueError("expected stft and weights together, got one of them")

    def unknown_stems(self, x: Samples) -> Samples:
        """1 for stems with anything unknown, 0 for those that are known throughout, ``[B, S, T] -> [B, S]``."""
        if self.known is None:
            return np.ones_like(x[:, :, 0])
        return np.logical_not(self.known.all(-1)).astype(x.dtype)

    def noisy_stems(self, denoiser: Denoiser, x: Samples) -> Samples:
        """1 for stems that enter with noise, 0 for those that enter clean, ``[B, S, T] -> [B, S]``."""
        return np.ones_like(x[:, :, 0]) if denoiser.shares_sigma else self.unknown_stems(x)

    def start(self, denoiser: Denoiser, x: Samples, sigma: float, noise: Samples) -> Samples:
        """The noisy state that a sampler starts from.

        A stem that is known throughout enters without noise (the network is told sigma 0), unless the network knows
        only one sigma; a known part of another stem enters with the noise of its stem. Every later step keeps both by
        itself, since ``D_c = known`` there.

        Args:
            denoiser: The network.
            x: First estimate, or zeros, ``[B, S, T]``.
            sigma: First noise level.
            noise: Unit noise, ``[B, S, T]``.
        """
        clean = (
            x if self.known is None or self.values is None else np.where(self.known, self.values, x)
        )
        return clean + sigma * noise * self.noisy_stems(denoiser, x)[:, :, None]

    def denoise(self, denoiser: Denoiser, x: Samples, sigma: float) -> Samples:
        """The conditioned estimate ``D_c``, ``[B, S, T] -> [B, S, T]``."""
        levels = sigma * self.noisy_stems(denoiser, x)
        denoised = denoiser(x, levels, self.mixture if denoiser.takes_mixture else None)
        return self.project(denoised, sigma)

    def project(self, denoised: Samples, sigma: float) -> Samples:
        """Make an estimate agree with what is known, ``[B, S, T] -> [B, S, T]``."""
        if self.known is not None and self.values is not None:
            denoised = np.where(self.known, self.values, denoised)
        if self.mixture is None:
            return denoised
        free = self.unknown_stems(denoised)[:, :, None]
        residual = self.mixture - denoised.sum(1)
        if self.stft is None or self.weights is None:
            return denoised + residual[:, None] * free / np.maximum(free.sum(1, keepdims=True), 1)
        uncertainty = self.weights(self.stft(denoised), sigma) * free[..., None]
        shares = uncertainty / np.maximum(
            uncertainty.sum(1, keepdims=True), np.finfo(denoised.dtype).tiny
        )
        return denoised + self.stft.inverse(shares * self.stft(residual)[:, None])


def wiener_weights(floor: float) -> ShareWeights:
    """Posterior variance of a Gaussian stem whose power is that of its estimate: ``v = s2 P / (s2 + P)``.

    Args:
        floor: Added to the power, relative to the noise.
    """

    def weights(transform: Transform, sigma: float) -> Samples:
        noise = sigma**2
        power = transform.real**2 + transform.imag**2 + floor * noise
        return power * noise / (power + noise)

    return weights
