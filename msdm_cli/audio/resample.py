"""Resampling of a stream block by block, with the result of resampling it as a whole."""

from functools import partial
from math import ceil, gcd
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

ZERO_CROSSINGS = 96
ROLLOFF = 0.97
KAISER_BETA = 10.0
"""These three make a windowed sinc. At 22 050 Hz it is flat to 10.4 kHz, 2 dB down at 10.6 kHz, and
67 dB down at 11.025 kHz.

resampy's ``kaiser_fast`` is 4 dB down at 9.4 kHz and 15 dB at 10 kHz, where a network that was
trained on songs at 22 050 Hz expects sound.
"""
FILTER: dict[str, Any] = {
    "filter": "sinc_window",
    "num_zeros": ZERO_CROSSINGS,
    "rolloff": ROLLOFF,
    "window": partial(np.kaiser, beta=KAISER_BETA),
}
"""The filter, as arguments of ``resampy.resample``."""
BLOCK_SECONDS = 1
SIGNALS_AT_ONCE = 128
MATRIX_OUTPUTS = 128
MATRIX_INPUTS = 4096


def resampled_length(length: int, rate_in: int, rate_out: int) -> int:
    """Samples at ``rate_out`` that cover ``length`` samples at ``rate_in``, rounded up."""
    return -(-length * rate_out // rate_in)


class StreamResampler:
    """Resamples a stream with resampy's windowed sinc.

    The stream is cut where the grids of input and output meet, every ``rate_in / gcd`` samples.
    Each block is resampled with the neighbours that the filter reaches, so that the cuts leave no
    trace.

    Resampling is linear, and the same from one cut to the next: what resampy does to a short window
    is a matrix. One product with it resamples a block several times faster than resampy does. Where
    the grids meet too rarely for a matrix (44 101 Hz), resampy does it.

    Args:
        rate_in: In hertz.
        rate_out: In hertz.
        channels: Number of channels C.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        common = gcd(rate_in, rate_out)
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._unit_in = rate_in // common
        self._unit_out = rate_out // common
        reach = (ZERO_CROSSINGS + 1) * rate_in / min(rate_in, rate_out)
        self._margin = ceil(reach / self._unit_in) * self._unit_in
        self._step = max(1, MATRIX_OUTPUTS // self._unit_out) * self._unit_in
        self._block = ceil(BLOCK_SECONDS * rate_in / self._step) * self._step
        short = self._step + 2 * self._margin <= MATRIX_INPUTS
        self._matrix = self._build_matrix() if short and rate_in != rate_out else None
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
        total = (
            resampled_length(self._received, self.rate_in, self.rate_out)
            if length is None
            else length
        )
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

    def _build_matrix(self) -> NDArray[np.float32]:
        """What the filter does to ``step`` samples between two margins.

        Each output is a sum over the two wings of the filter, whose table is interpolated as
        resampy does it. Asking resampy itself, on an identity matrix, would compile its loop in
        each process, which takes seconds.

        Source: Smith, "Digital Audio Resampling Home Page".

        Shape:
            ``-> [step + 2 * margin, outputs]``
        """
        import resampy  # numba, which it needs, takes a second and 30 MB

        ratio = self.rate_out / self.rate_in
        arguments = {key: value for key, value in FILTER.items() if key != "filter"}
        table, precision, _ = resampy.filters.sinc_window(**arguments)
        scale = min(1.0, ratio)
        table = table * scale
        slope = np.diff(table, append=table[-1])
        stride = int(scale * precision)
        step_out = self._step // self._unit_in * self._unit_out
        positions = self._margin + np.arange(step_out) * self.rate_in / self.rate_out
        nearest = positions.astype(int)
        matrix = np.zeros((self._step + 2 * self._margin, step_out))
        for distance, first, direction in (
            (scale * (positions - nearest), nearest, -1),
            (scale * (1 - positions + nearest), nearest + 1, 1),
        ):
            offset, between = np.divmod(distance * precision, 1)
            taps = np.arange(len(table) // stride)[:, None]
            index = np.minimum(offset.astype(int) + taps * stride, len(table) - 1)
            weights = (table[index] + between * slope[index]) * (
                taps < (len(table) - offset) // stride
            )
            matrix[first + direction * taps, np.arange(step_out)] += weights
        return matrix.astype(np.float32)

    def _inside(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample windows with a margin on either side, without the margins."""
        import resampy

        converted = resampy.resample(windows, self.rate_in, self.rate_out, **FILTER)
        first, last = (
            edge // self._unit_in * self._unit_out
            for edge in (self._margin, windows.shape[1] - self._margin)
        )
        return converted[:, first:last].astype(np.float32)

    def _convert(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample a block between two margins."""
        # Each sample is in several windows: these are made for a few signals at a time.
        parts = [
            self._convert_few(window[first : first + SIGNALS_AT_ONCE])
            for first in range(0, len(window), SIGNALS_AT_ONCE)
        ]
        converted = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._given += converted.shape[1]
        return converted

    def _convert_few(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._matrix is None:
            return self._inside(window)
        windows = sliding_window_view(window, len(self._matrix), axis=1)[:, :: self._step]
        converted: NDArray[np.float32] = windows.reshape(-1, len(self._matrix)) @ self._matrix
        return converted.reshape(len(window), -1)
