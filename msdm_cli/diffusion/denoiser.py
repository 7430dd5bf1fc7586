"""What a sampler knows of a network."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]
"""Samples of sound, in single precision but for tests."""


class Denoiser(Protocol):
    """Estimates clean stems from noisy ones: ``D(x; sigma, y) ~ E[x0 | x, y]``. Preconditioning is
    inside it.

    Attributes:
        takes_mixture: Whether the network can be told the mixture; if not, it is left out of every
            call.
        shares_sigma: Whether the network was trained with one sigma for all stems; if so, what is
            known of them must come with as much noise as the rest.
    """

    takes_mixture: bool
    shares_sigma: bool

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems.

        Args:
            x: Noisy stems.
            sigma: Noise level of each stem; 0 where it is known, but for networks that share one.
            mixture: Sum of the clean stems, if known.

        Shape:
            ``[B, S, T], [B, S], [B, T] -> [B, S, T]``
        """
        ...
