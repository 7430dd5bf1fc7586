"""A song at the model's rate, in windows that only move forward."""

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.resample import StreamResampler, resampled_length
from msdm_cli.audio.source import AudioReader

READ_FRAMES = 1 << 16


class SongWindows:
    """Reads windows of a song that is being resampled. It holds one window at a time.

    Args:
        reader: The song.
        rate: Rate of the windows, in hertz.
    """

    def __init__(self, reader: AudioReader, rate: int) -> None:
        properties = reader.properties
        self.total = resampled_length(properties.frames, properties.sample_rate, rate)
        self._reader = reader
        self._resampler = StreamResampler(properties.sample_rate, rate, properties.channels)
        self._held = np.zeros((properties.channels, 0), np.float32)
        self._start = 0

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """The samples from ``start`` to ``stop``, and silence after the end of the song.

        Shape:
            ``-> [C, stop - start]``; ``start`` is not before that of the last call
        """
        while self._start + self._held.shape[1] < min(stop, self.total):
            block = self._reader.read(READ_FRAMES)
            new = (
                self._resampler.push(block)
                if block.shape[1]
                else self._resampler.finish(self.total)
            )
            self._held = np.concatenate((self._held, new), 1)
            self._drop(start)
        self._drop(start)
        window = self._held[:, : stop - start]
        return np.pad(window, ((0, 0), (0, stop - start - window.shape[1])))

    def _drop(self, start: int) -> None:
        """Forget what lies before ``start``."""
        before = min(start - self._start, self._held.shape[1])
        self._held = self._held[:, before:]
        self._start += before
