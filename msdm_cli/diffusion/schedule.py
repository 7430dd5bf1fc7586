"""The noise levels of a sampler."""

import math

import numpy as np
from numpy.typing import NDArray


def karras_sigmas(
    num_steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0
) -> NDArray[np.float64]:
    """Noise levels from ``sigma_max`` down to ``sigma_min``, then 0.

    Source: arXiv 2206.00364, eq. 5.

    Args:
        num_steps: Number of steps, at least 1.
        sigma_min: Last level before 0.
        sigma_max: First level.
        rho: Curvature; larger values place more levels near ``sigma_min``.

    Returns:
        ``num_steps + 1`` levels.
    """
    if num_steps < 1:
        raise ValueError(f"expected at least 1 step, got {num_steps}")
    ramp = np.linspace(0, 1, num_steps)
    high = sigma_max ** (1 / rho)
    low = sigma_min ** (1 / rho)
    return np.append((high + ramp * (low - high)) ** rho, 0.0)


def check_schedule(num_steps: int, sigma_min: float, sigma_max: float, rho: float) -> None:
    """Check the options of a schedule.

    Raises:
        ValueError: There is no such schedule.
    """
    if num_steps < 1:
        raise ValueError(f"expected num_steps >= 1, got {num_steps}")
    # These are written so that NaN is refused, too.
    if not 0 < sigma_min <= sigma_max < math.inf:
        raise ValueError(f"expected 0 < sigma_min <= sigma_max, got {sigma_min} and {sigma_max}")
    if not 0 < rho < math.inf:
        raise ValueError(f"expected rho > 0, got {rho}")


def list_levels(sigmas: NDArray[np.float64]) -> list[float]:
    """The levels of a schedule as Python numbers, which keep float32 arrays in float32.

    Raises:
        ValueError: The schedule has no step or does not end in 0.
    """
    levels: list[float] = sigmas.tolist()
    if len(levels) < 2 or levels[-1] != 0:
        raise ValueError(f"expected a schedule of at least one step that ends in 0, got {levels}")
    return levels
