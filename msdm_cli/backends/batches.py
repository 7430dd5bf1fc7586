"""A batch in parts: item by item on a CPU, or halved where the memory of a GPU is too small."""

import logging
from typing import Protocol

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import DeviceFull

log = logging.getLogger(__name__)


class Run(Protocol):
    """One network call."""

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None) -> Samples:
        """Estimate the clean stems.

        Raises:
            DeviceFull: They do not fit into the memory of the device.
        """
        ...


def run_in_parts(
    run: Run, x: Samples, sigma: Samples, mixture: Samples | None, *, singly: bool
) -> Samples:
    """Run a network on a batch, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

    Args:
        run: The network.
        x: Noisy stems.
        sigma: Noise levels.
        mixture: Mixtures, if they are an input.
        singly: Whether to run item by item. No item then depends on the others to the last bit, as
            it does where sums run over a batch in another order. On a CPU this is as fast and
            takes less memory. Otherwise the parts are as large as fit.

    Raises:
        DeviceFull: A single item does not fit.
    """
    if len(x) == 1:
        return run(x, sigma, mixture)
    if not singly:
        try:
            return run(x, sigma, mixture)
        except DeviceFull:
            log.info("a batch of %d does not fit into the memory of the device: halving it", len(x))
    # Outside the handler, because the exception keeps what the failed call has allocated.
    half = [(len(x) + 1) // 2]
    mixtures = (None, None) if mixture is None else np.split(mixture, half)
    halves = zip(np.split(x, half), np.split(sigma, half), mixtures, strict=True)
    return np.concatenate([run_in_parts(run, *part, singly=singly) for part in halves])
