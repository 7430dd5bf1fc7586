"""A batch that does not fit into the memory of a device is halved."""

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


def run_halved(run: Run, x: Samples, sigma: Samples, mixture: Samples | None) -> Samples:
    """Run a network in as large parts of the batch as fit, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

    The items are independent, but for rounding: a smaller batch may be summed up in another order.

    Raises:
        DeviceFull: A single item does not fit.
    """
    try:
        return run(x, sigma, mixture)
    except DeviceFull:
        if len(x) == 1:
            raise
    log.info("a batch of %d does not fit into the memory of the device: it is halved", len(x))
    # Not inside the handler, which holds on to what the failed call has taken.
    half = [(len(x) + 1) // 2]
    mixtures = (None, None) if mixture is None else np.split(mixture, half)
    halves = zip(np.split(x, half), np.split(sigma, half), mixtures, strict=True)
    return np.concatenate([run_halved(run, *part) for part in halves])
