"""A stem that is there, read once for two readers: for the network, and for what is written."""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.formats import find_finest
from msdm_cli.audio.shared_reader import SharedReader
from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import AudioProperties, AudioReader, AudioSource
from msdm_cli.errors import UnsuitableAudio

Array = NDArray[np.float32]

FADE_SECONDS = 0.02
"""Length of the cross-fades between what is there and what is drawn."""


class Original:
    """A given stem.

    Args:
        reader: Reads it.
        rate: Rate of the network, in hertz.
        panned: How many of its first samples say where it stands between its channels.
        gain: The network hears it with this gain.
    """

    def __init__(self, reader: AudioReader, rate: int, panned: int = 0, gain: float = 1) -> None:
        properties = reader.properties
        self._reader = SharedReader(reader)
        self._windows = SongWindows(self._reader, rate)
        self._left = properties.frames
        self._fade = count_fade(properties.sample_rate)
        self._panned = panned
        self._gain = np.float32(gain)
        self._together = np.zeros(properties.channels)
        self._energy = 0.0
        self._tail = np.zeros((properties.channels, 0), np.float32)

    def hear(self, start: int, stop: int) -> Array:
        """What the network hears: the mean of its channels at its rate, ``-> [stop - start]``."""
        heard: Array = self._gain * self._windows.read(start, stop).mean(0)
        return heard

    def skip(self, start: int) -> None:
        """What lies before ``start``, at the network's rate, will not be heard."""
        self._windows.read(max(0, start), max(0, start))

    def read(self, frames: int) -> Array:
        """The next samples as they are, ``[C, frames]``.

        After its end the last ones come backwards, as many as a cross-fade takes, so that the sound
        does not break off there; then silence.
        """
        there = self._reader.read_again(min(frames, self._left))
        if there.shape[1]:
            self._measure_pan(there[:, : max(0, self._panned)])
            self._panned -= there.shape[1]
            self._left -= there.shape[1]
            self._tail = np.concatenate((self._tail, there), 1)[:, -self._fade :]
        missing = frames - there.shape[1]
        if not missing:
            return there
        back = self._tail[:, ::-1][:, :missing]
        self._tail = self._tail[:, : self._tail.shape[1] - back.shape[1]]
        silence = np.zeros((len(back), missing - back.shape[1]), np.float32)
        return np.concatenate((there, back, silence), 1)

    @property
    def pan(self) -> Array:
        """Gain of each channel on the mean of all, as far as it was read, ``[C]``."""
        channels = len(self._together)
        if not self._energy:
            return np.ones(channels, np.float32)
        return np.clip(self._together / self._energy, 0, channels).astype(np.float32)

    def _measure_pan(self, block: Array) -> None:
        mean = block.mean(0, dtype=np.float64)
        self._together += block @ mean
        self._energy += float(mean @ mean)


def count_fade(rate: int) -> int:
    """Samples of a cross-fade."""
    return max(1, round(FADE_SECONDS * rate))


def describe_given(sources: Mapping[str, AudioSource], kept: Iterable[str]) -> AudioProperties:
    """Rate and length of given stems, and the most channels that one of them has.

    Args:
        sources: The stems by name.
        kept: Those of which something is written again: the finest of their subtypes counts.

    Raises:
        UnsuitableAudio: They differ in rate or length, or their channels do not go together.
    """
    first, *others = sources.values()
    for other in others:
        for quantity, unit in (("sample_rate", "Hz"), ("frames", "samples")):
            one = getattr(first.properties, quantity)
            two = getattr(other.properties, quantity)
            if one != two:
                raise UnsuitableAudio(
                    f"{first.name} has {one} {unit}, {other.name} has {two}",
                    "Given stems must have the same rate and length: export them together.",
                )
    channels = max(source.properties.channels for source in sources.values())
    for source in sources.values():
        if source.properties.channels not in (1, channels):
            raise UnsuitableAudio(
                f"{source.name} has {source.properties.channels} channels, "
                f"another given stem has {channels}",
                "Given stems must be mono, or have the same number of channels.",
            )
    widest = max(sources.values(), key=lambda source: source.properties.channels).properties
    finest = find_finest(sources[name].properties.subtype for name in kept)
    return dataclasses.replace(widest, subtype=finest)
