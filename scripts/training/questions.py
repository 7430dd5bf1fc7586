"""The questions a network is trained on, and the loss: one batch mixes separation, imputation and the joint prior."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from msdm_cli.networks.stft_unet import StftUnet


@dataclass(frozen=True)
class QuestionMix:
    """Shares of the questions, and the sigmas they are asked at.

    Attributes:
        regress: Mixture given, every stem absent: at an infinite sigma.
        refine: Mixture given, all stems at one sigma around what the network itself has found: what a sampler that
            draws all noise anew asks at every step.
        refine_known: Mixture given, some stems known, the others at one sigma.
        impute: Each stem known, at one sigma, or absent.
            What remains is the joint prior: all stems at one sigma.
        sigma_low: Smallest sigma of the log-uniform distribution.
        sigma_high: Largest one.
        refine_low: Smallest sigma of the log-uniform distribution of ``refine``.
        refine_high: Largest one.
    """

    regress: float = 0.68
    refine: float = 0.05
    refine_known: float = 0.03
    impute: float = 0.15
    sigma_low: float = 5e-3
    sigma_high: float = 5.0
    refine_low: float = 0.03
    refine_high: float = 1.0

    @property
    def separates(self) -> bool:
        """Whether the mixture is ever given."""
        return self.regress + self.refine + self.refine_known > 0

    @property
    def relates(self) -> bool:
        """Whether any question needs more than one stem."""
        return self.separates or self.impute > 0

    def draw(self, rng: np.random.Generator, stems: int) -> tuple[NDArray[np.float64], bool]:
        """Sigma per stem ``[S]``, and whether the mixture is given."""
        kind = rng.random()
        sigma = float(np.exp(rng.uniform(np.log(self.sigma_low), np.log(self.sigma_high))))
        sigmas = np.full(stems, sigma)
        if kind < self.regress:
            return np.full(stems, np.inf), True
        kind -= self.regress
        if kind < self.refine:
            return np.full(
                stems, np.exp(rng.uniform(np.log(self.refine_low), np.log(self.refine_high)))
            ), True
        kind -= self.refine
        if kind < self.refine_known:
            known = rng.permutation(stems)[: rng.integers(1, stems - 1)]
            sigmas[:] = np.inf if rng.random() < 0.5 else sigma
            sigmas[known] = 0
            return sigmas, True
        kind -= self.refine_known
        if kind < self.impute:
            order = rng.permutation(stems)
            sigmas[order[: rng.integers(1, stems)]] = 0
            if rng.random() < 0.3:
                sigmas[order[-1]] = np.inf
                sigmas[order[-2]] = sigma
        return sigmas, False


class ScoreMatching(nn.Module):
    """Denoising score matching in the transform domain.

    The squared error of each stem is divided by that of the exact answer for Gaussian stems, so that every sigma and
    every stem counts alike: a ratio of 1 is the static Wiener filter. Two questions need more care. Without a mixture
    nothing tells how loud a stem is, and a quiet one would weigh without bound: the error that the Gaussian expects is
    added to its own. With one, silent stems beside known ones are found without error: a share of the energy of all
    stems is added.

    Where the mixture is given and all stems are at one finite sigma, noise is added to the network's own estimate: with
    the errors that it has when it refines (arXiv 2208.04202 feeds estimates back, too). The exact answer is that to the
    mixture alone then.

    The logarithm of the ratio, which is what separation is measured in, was tried for questions with a mixture: it was
    worse for all stems after 150 steps, and after 400 steps from trained weights (4.79 dB, 5.63 without). So were
    its root (6.12 dB, 6.26 without), and magnitudes, per bin or per frame, in place of squares (5.37 and 5.54 dB after
    125 steps, 5.84 without).

    Args:
        network: What is trained.
    """

    FLOOR = 0.1
    ENERGY_FLOOR = 1e-3

    def __init__(self, network: StftUnet) -> None:
        super().__init__()
        self.network = network
        self._denoise: Callable[..., Tensor] = network.denoise_transform

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the denoiser alone, as ``torch.compile`` does: the question decides how often it is called."""
        self._denoise = torch.compile(self._denoise, *args, **kwargs)

    def forward(self, stems: Tensor, sigma: Tensor, given: Tensor, noise: Tensor) -> Tensor:
        """Loss of each item. An infinite sigma is the largest that the network tells apart.

        Shape:
            ``[B, S, T], [B, S], [B], [B, S, T] -> [B]``
        """
        network = self.network
        sigma = sigma.clamp_max(network.config.sigma_max)
        with torch.no_grad():
            clean, unit = network.stft(stems), network.stft(noise)
            observed = clean.sum(1) * given[:, None, None, None]
            refined = (
                (given == 1)
                & (sigma == sigma[:, :1]).all(1)
                & (sigma[:, 0] < network.config.sigma_max)
            )
            level = sigma.masked_fill(refined[:, None], network.config.sigma_max)
            gaussian = network.posterior(
                clean + unit * level[:, :, None, None, None], level, observed, given
            )
            start = clean.clone()
            if refined.any():
                told = level[refined], observed[refined], given[refined]
                start[refined] = self._denoise(torch.zeros_like(clean[refined]), *told)
            noisy = start + unit * sigma[:, :, None, None, None]
            reference = (gaussian - clean).square().sum((2, 3, 4))
            expected = network.posterior_variance(sigma).sum((2, 3, 4)) * clean.shape[-1]
            reference = reference + expected * (1 - given[:, None])
            energy = clean.square().sum((2, 3, 4)).mean(1, keepdim=True)
            reference = (
                reference
                + self.FLOOR * reference.mean(1, keepdim=True)
                + self.ENERGY_FLOOR * energy
                + 1e-6
            )
        torch.clear_autocast_cache()  # what was cast without gradients would be taken again (PyTorch's issue 112583)
        denoised = self._denoise(noisy, sigma, observed, given)
        return ((denoised - clean).square().sum((2, 3, 4)) / reference).mean(1)
