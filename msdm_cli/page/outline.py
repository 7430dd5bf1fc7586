"""What a sound looks like, measured in one pass: its waveform and its log-frequency spectrogram.

Memory does not grow with the sound: a picture has so many columns, and each column is measured
from the samples that fall into it.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.source import AudioSource, read_all

COLUMNS = 1600
"""Of a picture; fewer if a column would be shorter than ``SHORTEST_COLUMN``."""
SHORTEST_COLUMN = 64
"""In samples."""
ROWS = 112
"""Of a spectrogram."""
LOWEST_HZ = 30.0
HIGHEST_HZ = 20_000.0
WINDOW_SECONDS = 0.09
"""Long enough to tell the notes of a bass apart, short enough to see a beat."""
MOST_FRAMES = 4
"""Spectra of a column: of a long song, not every sample is looked at."""
BLOCK_FRAMES = 1 << 15

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Outline:
    """A sound as a picture would show it, in columns from left to right.

    Attributes:
        lowest: Smallest sample of each column.
        highest: Largest sample.
        rms: Root mean square.
        power: Power in bands that are equally wide on a logarithmic scale, from ``LOWEST_HZ``
            up, ``[rows, columns]``. A sine at full scale has 1.
        highest_hz: Where the last band ends.
    """

    lowest: Array
    highest: Array
    rms: Array
    power: Array
    highest_hz: float

    @property
    def peak(self) -> float:
        """Largest absolute sample."""
        return float(max(self.highest.max(), -self.lowest.min(), 0))


def outline(source: AudioSource) -> Outline:
    """Measure a sound.

    Raises:
        AudioError: It cannot be decoded.
    """
    properties = source.properties
    columns = max(1, min(COLUMNS, properties.frames // SHORTEST_COLUMN))
    envelope = _Envelope(properties.frames, columns)
    spectrum = _Spectrum(properties.frames, properties.sample_rate, columns)
    for block in read_all(source, BLOCK_FRAMES):
        envelope.push(block)
        spectrum.push(block.mean(0))
    spectrum.finish()
    return Outline(
        envelope.lowest,
        envelope.highest,
        np.sqrt(envelope.energy / np.maximum(envelope.count, 1)).astype(np.float32),
        spectrum.power,
        spectrum.highest_hz,
    )


class _Envelope:
    """Extremes and energy of each column.

    Args:
        frames: Length of the sound.
        columns: Number of columns.
    """

    def __init__(self, frames: int, columns: int) -> None:
        self.lowest = np.full(columns, np.inf, np.float32)
        self.highest = np.full(columns, -np.inf, np.float32)
        self.energy = np.zeros(columns)
        self.count = np.zeros(columns)
        self._starts = np.arange(columns) * frames // columns
        self._position = 0

    def push(self, block: Array) -> None:
        """Measure the next samples, ``[C, n]``."""
        first = self._position
        self._position += block.shape[1]
        left = int(np.searchsorted(self._starts, first, "right")) - 1
        right = int(np.searchsorted(self._starts, self._position))
        cuts = np.maximum(self._starts[left:right] - first, 0)
        columns = slice(left, right)
        low = np.minimum.reduceat(block.min(0), cuts)
        high = np.maximum.reduceat(block.max(0), cuts)
        self.lowest[columns] = np.minimum(self.lowest[columns], low)
        self.highest[columns] = np.maximum(self.highest[columns], high)
        energy = np.square(block, dtype=np.float64).mean(0)
        self.energy[columns] += np.add.reduceat(energy, cuts)
        self.count[columns] += np.diff(cuts, append=block.shape[1])


class _Spectrum:
    """Power of each column in bands of a logarithmic scale.

    Args:
        frames: Length of the sound.
        rate: Its sample rate, in hertz.
        columns: Number of columns.
    """

    def __init__(self, frames: int, rate: int, columns: int) -> None:
        self.highest_hz = min(HIGHEST_HZ, rate / 2)
        # A power of two is fast; a sound of a low rate still gets a few dozen bins.
        self._length = max(64, 1 << round(math.log2(WINDOW_SECONDS * rate)))
        self._window = np.hanning(self._length + 1)[:-1].astype(np.float32)
        # A sine of amplitude 1 has half the sum of the window in its bin.
        self._window *= 2 / self._window.sum()
        lowest = min(LOWEST_HZ, self.highest_hz / 2)
        self._edges = np.geomspace(lowest, self.highest_hz, ROWS + 1) * self._length / rate
        self.power = np.zeros((ROWS, columns), np.float32)
        column = frames / columns
        per_column = int(min(MOST_FRAMES, max(1, round(2 * column / self._length))))
        centres = (np.arange(columns * per_column) + 0.5) / per_column * column
        self._starts = np.round(centres).astype(int) - self._length // 2
        self._columns = np.arange(columns * per_column) // per_column
        self._done = 0
        # Silence before the beginning, for windows that reach there.
        self._held = np.zeros(self._length, np.float32)
        self._held_from = -self._length

    def push(self, block: Array) -> None:
        """Measure the next samples, ``[n]``."""
        self._held = np.concatenate([self._held, block])
        end = self._held_from + len(self._held)
        ready = int(np.searchsorted(self._starts, end - self._length, "right"))
        if ready > self._done:
            self._measure(slice(self._done, ready))
            self._done = ready
        keep = self._length if ready == len(self._starts) else end - self._starts[ready]
        dropped = max(0, len(self._held) - max(int(keep), 0))
        self._held = self._held[dropped:]
        self._held_from += dropped

    def finish(self) -> None:
        """Measure the windows that reach beyond the end."""
        self.push(np.zeros(self._length, np.float32))

    def _measure(self, frames: slice) -> None:
        offsets = self._starts[frames] - self._held_from
        windows = np.lib.stride_tricks.sliding_window_view(self._held, self._length)
        spectra = np.fft.rfft(windows[offsets] * self._window)
        power = sum_bands(np.square(np.abs(spectra)), self._edges)
        np.maximum.at(self.power.T, self._columns[frames], power)


def sum_bands(power: NDArray[np.floating[Any]], edges: NDArray[np.float64]) -> Array:
    """The power between the edges of bands.

    A bin is as wide as the distance of two bins, and its power is the same all over it. A band that
    is narrower than a bin shows the bin's whole power, as its neighbours do.

    Args:
        power: Of the bins, ``[n, bins]``.
        edges: Ascending, in bins.

    Shape:
        ``-> [n, edges - 1]``
    """
    # The power below an edge: that of whole bins, and a part of the one that the edge lies in.
    below = np.pad(np.cumsum(power, 1, np.float64), ((0, 0), (1, 0)))
    bins = np.minimum((edges + 0.5).astype(int), power.shape[1] - 1)
    total = below[:, bins] + (edges + 0.5 - bins) * power[:, bins]
    return (np.diff(total, axis=1) / np.minimum(np.diff(edges), 1)).astype(np.float32)
