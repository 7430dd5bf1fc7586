"""Denoisers that are told something beside the noisy stems, as samplers see them.

A sampler calls ``D(x, sigma)``. What a network is told stays the same while a chunk is drawn, so it
is bound to the network before.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples


class TellableDenoiser(Protocol):
    """A network that is told something, ``[B, ...]``; its architecture says what."""

    def __call__(
        self,
        x: Samples,
        sigma: Samples,
        mixture: Samples | None = None,
        told: Samples | None = None,
    ) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S] -> [B, S, T]``."""
        ...


class SketchDenoiser:
    """A prior over sketches with its controls, and with codes that are known.

    Known codes reach the network without noise, at level 0, wherever they are. Controls count
    ``guidance`` times as much as the network lets them: the estimate is moved on from that without
    controls (classifier-free guidance, arXiv 2207.12598).

    Args:
        denoiser: The network.
        told: Controls of each token, ``[B, tokens, controls]``.
        values: Values of the known codes, ``[B, S, tokens * K]``.
        known: Which tokens are known, ``[B, S, tokens]``.
        guidance: How much controls count; 1 for as much as the network lets them.
    """

    takes_mixture = False
    shares_sigma = False

    def __init__(
        self,
        denoiser: TellableDenoiser,
        told: Samples,
        values: Samples,
        known: NDArray[np.bool_],
        guidance: float = 1.0,
    ) -> None:
        self._denoiser = denoiser
        self._told = told
        self._values = values
        self._known = known
        self._numbers = values.shape[2] // known.shape[2]
        self._guidance = guidance if told.any() else 1.0

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean codes, ``[B, S, tokens * K], [B, S] -> [B, S, tokens * K]``."""
        levels = np.where(self._known, 0, sigma[:, :, None]).astype(np.float32)
        seen = np.where(np.repeat(self._known, self._numbers, 2), self._values, x)
        if self._guidance == 1:
            return self._denoiser(seen, levels, None, self._told)
        told = np.concatenate((self._told, np.zeros_like(self._told)))
        both = self._denoiser(
            np.concatenate((seen, seen)), np.concatenate((levels, levels)), None, told
        )
        asked, free = np.split(both, 2)
        guided: Samples = free + self._guidance * (asked - free)
        return guided

    def free(self, x: Samples, sigma: Samples) -> Samples:
        """The estimate where nothing is known and nothing asked for, any number of items at once.

        Shape:
            ``[B, S, tokens * K], [B, S] -> [B, S, tokens * K]``
        """
        tokens, controls = self._told.shape[1:]
        levels = np.repeat(sigma[:, :, None], tokens, 2).astype(np.float32)
        told = np.zeros((len(x), tokens, controls), self._told.dtype)
        return self._denoiser(x, levels, None, told)
