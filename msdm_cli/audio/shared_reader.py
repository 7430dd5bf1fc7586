"""One reading of a sound for two readers: for the network first, for what is written later."""

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.source import AudioReader


class SharedReader:
    """Reads a sound once for two readers, of which one lags behind the other.

    What the first has read is held until the second has read it, too.

    Args:
        reader: Reads the sound.
    """

    def __init__(self, reader: AudioReader) -> None:
        self.properties = reader.properties
        self._reader = reader
        self._held: list[NDArray[np.float32]] = []

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next samples of the first reader, ``[C, n]``."""
        block = self._reader.read(frames)
        self._held.append(block)
        return block

    def read_again(self, frames: int) -> NDArray[np.float32]:
        """The next samples of the second reader, ``[C, frames]``."""
        taken: list[NDArray[np.float32]] = []
        while frames:
            if not self._held:
                self.read(frames)
            block = self._held[0]
            taken.append(block[:, :frames])
            if block.shape[1] > frames:
                self._held[0] = block[:, frames:]
            else:
                self._held.pop(0)
            frames -= taken[-1].shape[1]
        channels = self.properties.channels
        return np.concatenate(taken, 1) if taken else np.zeros((channels, 0), np.float32)
