"""The paper's separation as its authors' code does it, for comparison with ours."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

CHURN = 20.0
NUM_RESAMPLES = 2


@dataclass
class Noise:
    """Unit noise by number, the same for both loops.

    Attributes:
        shape: Of the stems, ``[1, S, T]``.
        draws: What has been drawn.
    """

    shape: tuple[int, int, int]
    draws: dict[int, Tensor] = field(default_factory=dict)

    def draw(self, number: int) -> Tensor:
        """Noise of a number."""
        if number not in self.draws:
            generator = torch.Generator().manual_seed(number)
            self.draws[number] = torch.randn(self.shape, generator=generator)
        return self.draws[number].clone()


def separate_as_published(peer: nn.Module, mixture: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """The authors' loop, written down without further thought, ``[1, T] -> [1, S, T]``.

    Source: arXiv 2302.02257, Dirac likelihood, anchor 0.
    """
    from audio_diffusion_pytorch.diffusion import Diffusion, LogNormalDistribution

    distribution = LogNormalDistribution(-3.0, 1.0)
    settings: dict[str, Any] = {"sigma_data": 0.2, "dynamic_threshold": 0.0}
    diffusion = Diffusion(peer, sigma_distribution=distribution, **settings)
    x = sigmas[0] * noise.draw(0)
    steps = len(sigmas) - 1
    number = 1
    for i in range(steps):
        sigma = sigmas[i]
        sigma_next = sigmas[i + 1]
        number += 1
        for r in range(NUM_RESAMPLES):
            sigma_hat = sigma * (1 + min(CHURN / steps, 2**0.5 - 1))
            x = x + noise.draw(number) * (sigma_hat**2 - sigma**2) ** 0.5
            x[:, 0] = mixture - x[:, 1:].sum(1)
            d = (x - diffusion.denoise_fn(x, sigma=sigma_hat)) / sigma_hat
            d = d - d[:, :1]
            x = x + d * (sigma_next - sigma_hat)
            if r < NUM_RESAMPLES - 1:
                x = x + math.sqrt(sigma**2 - sigma_next**2) * noise.draw(number + 1)
            number += 2
    return x
