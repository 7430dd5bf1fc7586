"""What is known about the stems, imposed on the denoised estimate.

A condition turns ``D ≈ E[x0 | x]`` into ``D_c ≈ E[x0 | x, what is known]``. It projects the
estimate and not the noisy stems, so it works in any sampler and with any number of steps (DDNM,
arXiv 2212.00490):

- Known samples: ``D_c = known`` there, exactly.
- Mixture y: the residual ``e = y - sum D`` is divided among the stems that are not known,
  ``D_c,n = D_n + iSTFT(v_n / sum v * STFT(e))``, where ``v_n`` is the stem's uncertainty in a bin.
  The shares sum to one, and the transform is linear and exact, so the stems sum to y. Equal shares
  are those of DDNM. ``v_n ∝ |D_n|^2`` is a Wiener filter whose spectra come from the prior
  (mixture consistency, arXiv 1811.08521).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.stft import Stft, Transform

ShareWeights = Callable[[Transform, float], Samples]
"""Uncertainty ``v >= 0`` of each stem in each bin, from the transform of the estimate and sigma.

Shape: ``[B, S, frames, bins] -> [B, S, frames, bins]``.
"""

SHARING_TRANSFORM = (2048, 512)
"""Window and hop of the transform in which a residual is divided, in samples: 93 and 23 ms."""

SHARING_FLOOR = 0.3
"""Floor of the Wiener weights, relative to the power of the noise."""


@dataclass(frozen=True)
class Condition:
    """What is known about the stems; nothing by default.

    Attributes:
        mixture: Sum of the stems, ``[B, T]``.
        values: Values of the known samples, ``[B, S, T]``.
        known: Where ``values`` hold, ``[B, S, T]``.
        stft: Transform in which the residual is divided.
        weights: How the residual is divided; equally if None.
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
        """1 for stems with unknown samples, 0 for stems without, ``[B, S, T] -> [B, S]``."""
        if self.known is None:
            return np.ones_like(x[:, :, 0])
        return np.logical_not(self.known.all(-1)).astype(x.dtype)

    def noisy_stems(self, denoiser: Denoiser, x: Samples) -> Samples:
        """1 for stems that have noise in the network's input, 0 for others, ``-> [B, S]``."""
        return np.ones_like(x[:, :, 0]) if denoiser.shares_sigma else self.unknown_stems(x)

    def start(self, denoiser: Denoiser, x: Samples, sigma: float, noise: Samples) -> Samples:
        """The noisy stems that a sampler starts from, ``[B, S, T]``.

        A stem that is known throughout has no noise, and the network gets sigma 0 for it, unless
        the network has one sigma for all stems. A known part of another stem has the noise of its
        stem. Later steps keep both as they are, because ``D_c = known`` there.

        Args:
            denoiser: The network.
            x: First estimate, or silence, ``[B, S, T]``.
            sigma: First noise level.
            noise: Unit noise, ``[B, S, T]``.
        """
        clean = x
        if self.known is not None and self.values is not None:
            clean = np.where(self.known, self.values, x)
        return clean + sigma * noise * self.noisy_stems(denoiser, x)[:, :, None]

    def denoise(self, denoiser: Denoiser, x: Samples, sigma: float) -> Samples:
        """The conditioned estimate ``D_c``, ``[B, S, T] -> [B, S, T]``."""
        levels = sigma * self.noisy_stems(denoiser, x)
        denoised = denoiser(x, levels, self.mixture if denoiser.takes_mixture else None)
        return self.project(denoised, sigma)

    def project(self, denoised: Samples, sigma: float) -> Samples:
        """The estimate, made to agree with what is known, ``[B, S, T] -> [B, S, T]``."""
        if self.known is not None and self.values is not None:
            denoised = np.where(self.known, self.values, denoised)
        if self.mixture is None:
            return denoised
        unknown = self.unknown_stems(denoised)[:, :, None]
        residual = self.mixture - denoised.sum(1)
        if self.stft is None or self.weights is None:
            count = np.maximum(unknown.sum(1, keepdims=True), 1)
            return denoised + residual[:, None] * unknown / count
        uncertainty = self.weights(self.stft(denoised), sigma) * unknown[..., None]
        # At least the smallest normal number, so that silence is not 0 / 0.
        total = np.maximum(uncertainty.sum(1, keepdims=True), np.finfo(denoised.dtype).tiny)
        return denoised + self.stft.inverse(uncertainty / total * self.stft(residual)[:, None])


def mixture_condition(
    mixture: Samples, *, takes_mixture: bool, absent: NDArray[np.bool_] | None = None
) -> Condition:
    """The condition of a separation.

    Args:
        mixture: Sum of the stems, ``[B, T]``.
        takes_mixture: Whether the network gets the mixture. Its stems then sum to the mixture up to
            rounding, and equal shares of the rest will do. Otherwise the residual is divided by
            Wiener weights from the spectra of the estimate.
        absent: Which stems the mixture does not have, ``[S]``; None if nothing is known of that.
            They are known to be silent.
    """
    condition = Condition(mixture=mixture)
    if absent is not None and absent.any():
        shape = (len(mixture), len(absent), mixture.shape[-1])
        # Views of one number, and of S: nothing is copied for each sample.
        values = np.broadcast_to(np.zeros((), mixture.dtype), shape)
        known = np.broadcast_to(absent[:, None], shape)
        condition = replace(condition, values=values, known=known)
    if takes_mixture:
        return condition
    stft = Stft(*SHARING_TRANSFORM)
    return replace(condition, stft=stft, weights=wiener_weights(SHARING_FLOOR))


def wiener_weights(floor: float) -> ShareWeights:
    """Posterior variance of a Gaussian stem whose power P is that of its estimate.

    ``v = s2 P / (s2 + P)``, with ``s2 = sigma^2``.

    Args:
        floor: Added to the power, in units of ``sigma^2``.
    """

    def weights(transform: Transform, sigma: float) -> Samples:
        noise = sigma**2
        power = transform.real**2 + transform.imag**2 + floor * noise
        return power * noise / (power + noise)

    return weights
