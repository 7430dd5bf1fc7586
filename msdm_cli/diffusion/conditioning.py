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

import torch
from torch import Tensor

from msdm_cli.diffusion.denoiser import Denoiser
from msdm_cli.diffusion.stft import Stft

ShareWeights = Callable[[Tensor, float], Tensor]
"""Uncertainty of each stem in each bin: transform of the estimate ``[B, S, 2, bins, frames]`` and sigma in, weights
``v >= 0`` of the shape ``[B, S, 1, bins, frames]`` out."""


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

    mixture: Tensor | None = None
    values: Tensor | None = None
    known: Tensor | None = None
    stft: Stft | None = None
    weights: ShareWeights | None = None

    def __post_init__(self) -> None:
        if (self.values is None) != (self.known is None):
            raise ValueError("expected values and known together, got one of them")
        if (self.stft is None) != (self.weights is None):
            raise ValueError("expected stft and weights together, got one of them")

    def unknown_stems(self, x: Tensor) -> Tensor:
        """1 for stems with anything unknown, 0 for those that are known throughout, ``[B, S, T] -> [B, S]``."""
        if self.known is None:
            return torch.ones_like(x[:, :, 0])
        return (~self.known.all(-1)).to(x.dtype)

    def noisy_stems(self, denoiser: Denoiser, x: Tensor) -> Tensor:
        """1 for stems that enter with noise, 0 for those that enter clean, ``[B, S, T] -> [B, S]``."""
        return torch.ones_like(x[:, :, 0]) if denoiser.shares_sigma else self.unknown_stems(x)

    def start(self, denoiser: Denoiser, x: Tensor, sigma: float, noise: Tensor) -> Tensor:
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
        clean = x if self.known is None or self.values is None else torch.where(self.known, self.values, x)
        return clean + sigma * noise * self.noisy_stems(denoiser, x)[:, :, None]

    def denoise(self, denoiser: Denoiser, x: Tensor, sigma: float) -> Tensor:
        """The conditioned estimate ``D_c``, ``[B, S, T] -> [B, S, T]``."""
        levels = sigma * self.noisy_stems(denoiser, x)
        denoised = denoiser(x, levels, self.mixture if denoiser.takes_mixture else None)
        return self.project(denoised, sigma)

    def project(self, denoised: Tensor, sigma: float) -> Tensor:
        """Make an estimate agree with what is known, ``[B, S, T] -> [B, S, T]``."""
        if self.known is not None and self.values is not None:
            denoised = torch.where(self.known, self.values, denoised)
        if self.mixture is None:
            return denoised
        free = self.unknown_stems(denoised)[:, :, None]
        residual = self.mixture - denoised.sum(1)
        if self.stft is None or self.weights is None:
            return denoised + residual[:, None] * free / free.sum(1, keepdim=True).clamp_min(1)
        uncertainty = self.weights(self.stft(denoised), sigma) * free[..., None, None]
        shares = uncertainty / uncertainty.sum(1, keepdim=True).clamp_min(torch.finfo(denoised.dtype).tiny)
        return denoised + self.stft.inverse(shares * self.stft(residual)[:, None])


def wiener_weights(floor: float, smoothing: int = 1) -> ShareWeights:
    """Posterior variance of a Gaussian stem whose power is that of its estimate: ``v = s2 P / (s2 + P)``.

    Args:
        floor: Added to the power, relative to the noise.
        smoothing: Odd number of frames that the power is averaged over.
    """

    def weights(transform: Tensor, sigma: float) -> Tensor:
        noise = sigma**2
        power = transform.square().sum(2, keepdim=True)
        if smoothing > 1:
            flat = power.flatten(0, 2)
            flat = torch.nn.functional.avg_pool1d(flat, smoothing, 1, smoothing // 2, count_include_pad=False)
            power = flat.view_as(power)
        power = power + floor * noise
        return power * noise / (power + noise)

    return weights
