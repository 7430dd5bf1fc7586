"""Resampling of a stream, block by block, with the samples and the length of the whole at once."""

from math import ceil, gcd

import numpy as np
import resampy
from numpy.typing import NDArray

FILTER = "kaiser_fast"
ZERO_CROSSINGS = 16
BLOCK_SECONDS = 1


def resampled_length(length: int, rate_in: int, rate_out: int) -> int:
    """Samples at ``rate_out`` that cover ``length`` samples at ``rate_in``: ``ceil(length * rate_out / rate_in)``."""
    return -(-length * rate_out // rate_in)


class StreamResampler:
    """Resamples a stream with resampy's windowed sinc.

    The stream is cut where input and output grids meet (every ``rate_in / gcd`` samples), and each block is resampled
    with the neighbours that the filter reaches into, so that no cut is seen in the result.

    Args:
        rate_in: In hertz.
        rate_out: In hertz.
        channels: Number of channels C.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        common = gcd(rate_in, rate_out)
        self.rate_in, self.rate_out = rate_in, rate_out
        self._unit_in, self._unit_out = rate_in // common, rate_out // common
        reach = (ZERO_CROSSINGS + 1) * rate_in / min(rate_in, rate_out)
        self._margin = ceil(reach / self._unit_in) * self._unit_in
        self._block = ceil(BLOCK_SECONDS * rate_in / self._unit_in) * self._unit_in
        self._held = np.zeros((channels, self._margin), np.float32)
        self._received = 0
        self._given = 0

    def push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add samples and take what is certain by now, ``[C, n] -> [C, m]``."""
        self._received += block.shape[1]
        if self.rate_in == self.rate_out:
            self._given += block.shape[1]
            return block
        self._held = np.concatenate((self._held, block), 1)
        parts = []
        while self._held.shape[1] >= self._block + 2 * self._margin:
            parts.append(self._convert(self._held[:, : self._block + 2 * self._margin]))
            self._held = self._held[:, self._block :]
        return np.concatenate(parts, 1) if parts else block[:, :0]

    def finish(self, length: int | None = None) -> NDArray[np.float32]:
        """Take the rest.

        Args:
            length: Length of the whole result; ``resampled_length`` of what was pushed if None.

        Shape:
            ``-> [C, length - what was given before]``
        """
        total = resampled_length(self._received, self.rate_in, self.rate_out) if length is None else length
        missing = total - self._given
        channels = self._held.shape[0]
        if self.rate_in == self.rate_out:
            return np.zeros((channels, max(0, missing)), np.float32)
        parts = [np.zeros((channels, 0), np.float32)]
        while sum(part.shape[1] for part in parts) < missing:
            window = self._held[:, : self._block + 2 * self._margin]
            window = np.pad(window, ((0, 0), (0, self._block + 2 * self._margin - window.shape[1])))
            parts.append(self._convert(window))
            self._held = self._held[:, self._block :]
        return np.concatenate(parts, 1)[:, :missing]

    def _convert(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        converted = resampy.resample(window, self.rate_in, self.rate_out, filter=FILTER)
        first = self._margin // self._unit_in * self._unit_out
        count = self._block // self._unit_in * self._unit_out
        self._given += count
        return converted[:, first : first + count].astype(np.float32, copy=False)
