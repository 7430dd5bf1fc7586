"""Noise levels of a sampler."""

import torch
from torch import Tensor


def karras_sigmas(num_steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Noise levels from ``sigma_max`` down to ``sigma_min``, then 0.

    Source: arXiv 2206.00364, eq. 5.

    Args:
        num_steps: Number of steps, at least 1.
        sigma_min: Last level before 0.
        sigma_max: First level.
        rho: Curvature; larger values spend more steps at low levels.

    Returns:
        ``num_steps + 1`` levels in double precision.
    """
    if num_steps < 1:
        raise ValueError(f"expected at least 1 step, got {num_steps}")
    ramp = torch.linspace(0, 1, num_steps, dtype=torch.float64)
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return torch.cat(((high + ramp * (low - high)) ** rho, torch.zeros(1, dtype=torch.float64)))
