"""The network calls of a task: counted, watched, and stopped."""

import threading

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.errors import NonFiniteSamples
from msdm_cli.progress import Progress, report_skipped


class Calls:
    """Counts the network calls of a task. Chunks on several devices make them at the same time.

    Args:
        progress: Receives each call.
    """

    def __init__(self, progress: Progress) -> None:
        self.count = 0
        self._progress = progress
        self._stopped = False
        self._lock = threading.Lock()

    def add(self) -> None:
        """Count a call that was made."""
        with self._lock:
            self.count += 1
            self._progress.advance()

    def skip(self, calls: int) -> None:
        """Report calls that need not be made, since their result is known."""
        with self._lock:
            report_skipped(self._progress, calls)

    def stop(self) -> None:
        """Have the next call of every chunk raise KeyboardInterrupt."""
        self._stopped = True

    def check(self) -> None:
        """Raise KeyboardInterrupt after ``stop``."""
        if self._stopped:
            raise KeyboardInterrupt


class WatchedDenoiser:
    """The denoiser of one chunk. It counts its calls and refuses what is not a number.

    Args:
        denoiser: The network.
        calls: Counts.
        chunk: Number of the chunk.
    """

    def __init__(self, denoiser: Denoiser, calls: Calls, chunk: int) -> None:
        self.takes_mixture = denoiser.takes_mixture
        self.shares_sigma = denoiser.shares_sigma
        self._denoiser = denoiser
        self._calls = calls
        self._chunk = chunk
        self._count = 0

    def __call__(
        self,
        x: Samples,
        sigma: Samples,
        mixture: Samples | None = None,
        told: Samples | None = None,
    ) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

        Raises:
            NonFiniteSamples: The network returned NaN or infinity.
        """
        self._calls.check()
        denoised = self._denoiser(x, sigma, mixture, *(() if told is None else (told,)))
        if not np.isfinite(denoised).all():
            level = sigma.max().item()
            raise NonFiniteSamples(
                f"the network returned NaN or infinity in chunk {self._chunk}, "
                f"call {self._count}, sigma {level:.3g}",
                "Try another device or precision; if it stays, report the song and the seed.",
            )
        self._count += 1
        self._calls.add()
        return denoised

    def skip(self) -> None:
        """Report a call that need not be made, since its result is known."""
        self._calls.check()
        self._calls.skip(1)
