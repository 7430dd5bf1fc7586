"""A batch in parts: item by item on a CPU, halved where it does not fit into the memory of a device."""

import logging
from typing import Protocol

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import DeviceFull

log = logging.getLogger(__name__)


class Run(Protocol):
    """One network call."""

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None) -> Samples:
        """Estimate the clean stems; ``DeviceFull`` if they do not fit."""
        ...


def run_batch(
    run: Run, x: Samples, sigma: Samples, mixture: Samples | None, *, singly: bool
) -> Samples:
    """Run a network on a batch, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

    Args:
        run: The network.
        x: Noisy stems.
        sigma: Noise levels.
        mixture: Their mixtures, if the network is told them.
        singly: Item by item, so that none depends on the others to the last bit: sums over a batch are made in another
            order. On a CPU this is as fast, and takes less memory. Otherwise in as large parts as fit.

    Raises:
        DeviceFull: A single item does not fit.
    """
    if len(x) == 1:
        return run(x, sigma, mixture)
    if not singly:
        try:
            return run(x, sigma, mixture)
        except DeviceFull:
            log.info(
                "a batch of %d does not fit into the memory of the device: it is halved", len(x)
            )
    # Not inside the handler, which holds on to what the failed call has taken.
    half = [(len(x) + 1) // 2]
    mixtures = (None, None) if mixture is None else np.split(mixture, half)
    halves = zip(np.split(x, half), np.split(sigma, half), mixtures, strict=True)
    return np.concatenate([run_batch(run, *part, singly=singly) for part in halves])
