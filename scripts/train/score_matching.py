"""The loss of the embedded model: denoising score matching in the transform domain."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from msdm_cli.networks.stft_unet import StftUnet


class ScoreMatching(nn.Module):
    """Squared error of each stem, relative to that of the exact answer for Gaussian stems.

    So every sigma and every stem counts alike: a ratio of 1 is the static Wiener filter. Two
    questions need more care. Without a mixture nothing says how loud a stem is, and a quiet one
    would weigh without bound: the error that the Gaussian expects is added to its own. With one,
    silent stems beside known ones are found without error: a share of the energy of all stems is
    added.

    Where the mixture is given and all stems are at one finite sigma, noise is added to the
    network's own estimate, so that it has the errors of a network that refines (arXiv 2208.04202
    feeds estimates back, too). The exact answer is then that to the mixture alone.

    Args:
        network: What is trained.
    """

    FLOOR = 0.1
    ENERGY_FLOOR = 1e-3

    def __init__(self, network: StftUnet) -> None:
        super().__init__()
        self.network = network
        self._denoise: Callable[..., Tensor] = network.denoise_transform
        self._reference: Callable[..., Tensor] = self._expect_error
        self._error: Callable[..., Tensor] = self._find_error

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the parts: the question decides how often the denoiser is called."""
        self._denoise = torch.compile(self._denoise, *args, **kwargs)
        self._reference = torch.compile(self._reference, *args, **kwargs)
        self._error = torch.compile(self._error, *args, **kwargs)

    def forward(self, stems: Tensor, sigma: Tensor, given: Tensor, noise: Tensor) -> Tensor:
        """Loss of each item. An infinite sigma is the largest that the network tells apart.

        Args:
            stems: Clean stems.
            sigma: Noise level of each stem.
            given: 1 where the mixture is given, else 0.
            noise: Unit noise.

        Shape:
            ``[B, S, T], [B, S], [B], [B, S, T] -> [B]``
        """
        network = self.network
        sigma = sigma.clamp_max(network.config.sigma_max)
        with torch.no_grad():
            clean = network.stft(stems)
            unit = network.stft(noise)
            observed = clean.sum(1) * given[:, None, None, None]
            refined = (given == 1) & (sigma == sigma[:, :1]).all(1)
            refined &= sigma[:, 0] < network.config.sigma_max
            # A question to refine has the exact answer of the mixture alone: absent stems.
            level = sigma.masked_fill(refined[:, None], network.config.sigma_max)
            noisy = clean + unit * level[:, :, None, None, None]
            asked = noisy, level, observed, given
            reference = self._reference(clean, sigma, *asked)
            start = clean.clone()
            if refined.any():
                conditions = level[refined], observed[refined], given[refined]
                start[refined] = self._denoise(torch.zeros_like(clean[refined]), *conditions)
            noisy = start + unit * sigma[:, :, None, None, None]
        # What was cast without gradients would be taken again (PyTorch's issue 112583).
        torch.clear_autocast_cache()
        return (self._error(clean, noisy, sigma, observed, given) / reference).mean(1)

    def _find_error(self, clean: Tensor, *asked: Tensor) -> Tensor:
        """Squared error of what the network answers, ``-> [B, S]``."""
        return sum_squares(self.network.denoise_transform(*asked), clean)

    def _expect_error(self, clean: Tensor, sigma: Tensor, *asked: Tensor) -> Tensor:
        """Squared error that counts as 1, ``-> [B, S]``."""
        given = asked[3]
        error = sum_squares(self.network.posterior(*asked), clean)
        expected = self.network.gaussian.find_variance(sigma).sum((2, 3, 4)) * clean.shape[-1]
        error = error + expected * (1 - given[:, None])
        energy = clean.square().sum((2, 3, 4)).mean(1, keepdim=True)
        floor = self.FLOOR * error.mean(1, keepdim=True)
        return error + floor + self.ENERGY_FLOOR * energy + 1e-6


def sum_squares(estimate: Tensor, clean: Tensor) -> Tensor:
    """Squared error of each stem, ``[B, S, 2, bins, frames] x 2 -> [B, S]``."""
    return (estimate - clean).square().sum((2, 3, 4))
