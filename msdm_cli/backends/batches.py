"""A batch in parts: item by item on a CPU, or halved where the memory of a GPU is too small."""

import logging
from collections.abc import Callable

import numpy as np

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import DeviceFull

log = logging.getLogger(__name__)


def run_in_parts(
    run: Callable[..., Samples],
    x: Samples,
    *others: Samples | None,
    singly: bool,
    together: int = 1,
) -> Samples:
    """Run a network on a batch, ``[B, S, T] -> [B, S, T]``.

    Args:
        run: The network; it raises DeviceFull where a batch does not fit.
        x: Noisy stems.
        others: Its other inputs, a row for each item; None for one that it does not have.
        singly: Whether to run item by item. No item then depends on the others to the last bit, as
            it does where sums run over a batch in another order. On a CPU this is as fast and
            takes less memory. Otherwise the parts are as large as fit.
        together: Neighbours that the network hears together; they stay in one part.

    Raises:
        DeviceFull: A single item does not fit, or those that stay together.
    """
    if len(x) <= together:
        return run(x, *others)
    if not singly:
        try:
            return run(x, *others)
        except DeviceFull:
            log.info("a batch of %d does not fit into the memory of the device: halving it", len(x))
    # Outside the handler, because the exception keeps what the failed call has allocated.
    half = [-(-len(x) // (2 * together)) * together]
    parts = [(None, None) if item is None else np.split(item, half) for item in others]
    halves = zip(np.split(x, half), *parts, strict=True)
    return np.concatenate(
        [run_in_parts(run, *part, singly=singly, together=together) for part in halves]
    )
