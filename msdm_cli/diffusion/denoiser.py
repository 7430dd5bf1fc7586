"""What a sampler knows about a network."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]
"""Samples of sound, or what represents them; in single precision, except in tests."""


class Denoiser(Protocol):
    """The estimate ``D(x; sigma, y) ~ E[x0 | x, y]`` of clean stems; preconditioning is inside.

    Attributes:
        takes_mixture: Whether the mixture is an input. Otherwise every call leaves it out.
        shares_sigma: Whether all stems have the same noise level. Stems that are known must then
            have as much noise as the others.
    """

    takes_mixture: bool
    shares_sigma: bool

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems.

        Args:
            x: Noisy stems.
            sigma: Noise level of each stem; 0 for a known stem, unless all stems share one level.
            mixture: Sum of the clean stems, if it is known.

        Shape:
            ``[B, S, T], [B, S], [B, T] -> [B, S, T]``
        """
        ...


@runtime_checkable
class FreeDenoiser(Denoiser, Protocol):
    """A denoiser of a network that is told something, and that can do without it."""

    def free(self, x: Samples, sigma: Samples) -> Samples:
        """Estimate the clean stems where nothing is known or asked for.

        Shape:
            ``[B, S, T], [B, S] -> [B, S, T]``
        """
        ...
