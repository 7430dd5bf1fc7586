"""Where sound comes from: the protocol of a source, and a source in memory."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.level import LevelMeter
from msdm_cli.errors import UnsuitableAudio

RATES_HZ = (100, 1_000_000)
"""A sound of another rate is damaged."""

MOST_CHANNELS = 256
"""An array of more has its axes the wrong way round."""

MOST_BLOCK_SAMPLES = 1 << 20
"""Samples of a block, all channels together: memory hardly grows with the channels."""

LEVEL_FRAMES = 1 << 16
"""Length of the blocks that a level is measured in, in samples."""


@dataclass(frozen=True)
class AudioProperties:
    """What is known of a sound before it is decoded.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        frames: Length, in samples.
        subtype: How a sample is stored, in libsndfile's terms.
        channel_names: FFmpeg's names of the channels, such as FL; empty if they are not known.
    """

    sample_rate: int
    channels: int
    frames: int
    subtype: str
    channel_names: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


class AudioReader(Protocol):
    """Reads a sound from its beginning to its end."""

    @property
    def properties(self) -> AudioProperties:
        """Of what is read."""
        ...

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next samples, fewer than ``frames`` at the end, ``[C, n]``.

        Raises:
            AudioError: They cannot be decoded, or are not numbers.
        """
        ...


class AudioSource(Protocol):
    """A sound that can be opened, any number of times.

    What is not known before the sound is decoded is found by a first look, once.
    """

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def properties(self) -> AudioProperties:
        """Of what is read."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """Title, artist and the like, as far as they are known."""
        ...

    @property
    def rms(self) -> float:
        """Root mean square of all samples; full scale is 1."""
        ...

    def look(self, *, level: bool) -> None:
        """Go through it once, and keep what is found.

        Args:
            level: Whether ``rms`` will be asked for.

        Raises:
            AudioError: It cannot be decoded, or is not numbers.
        """
        ...

    def open(self) -> AbstractContextManager[AudioReader]:
        """Begin to read it."""
        ...

    def digest(self) -> str:
        """A sha256 that tells it from other sounds."""
        ...

    def check_unchanged(self) -> None:
        """Make sure that it is what it was when this source was made.

        Raises:
            AudioError: It is not.
        """
        ...


class ArraySource:
    """Samples in memory.

    Args:
        samples: ``[C, T]``, or ``[T]`` for one channel. Full scale is 1.
        sample_rate: In hertz.
        name: What to call it in messages.

    Raises:
        ValueError: The array has another number of axes, or holds no floats.
        UnsuitableAudio: It holds no samples, or a NaN or an infinity.
    """

    def __init__(self, samples: NDArray[Any], sample_rate: int, name: str = "array") -> None:
        given = np.atleast_2d(samples)
        if given.ndim != 2:
            raise ValueError(f"expected samples [C, T] or [T], got the shape {samples.shape}")
        if len(given) > MOST_CHANNELS:
            raise ValueError(
                f"expected samples [C, T] of up to {MOST_CHANNELS} channels, "
                f"got the shape {samples.shape}"
            )
        if not np.issubdtype(given.dtype, np.floating):
            raise ValueError(f"expected floats, full scale 1, got samples of {given.dtype}")
        low, high = RATES_HZ
        if not low <= sample_rate <= high or sample_rate != int(sample_rate):
            raise ValueError(
                f"expected a rate of {low} to {high} Hz, a whole number, got {sample_rate}"
            )
        if not given.size:
            raise UnsuitableAudio(f"{name}: no samples", "Give an array that holds sound.")
        check_finite(given, name)
        if np.abs(given).max() > np.finfo(np.float32).max:
            raise UnsuitableAudio(f"{name}: too loud", "Full scale is 1: divide it by its peak.")
        self.samples = given.astype(np.float32)
        self.name = name
        self.tags: dict[str, str] = {}
        self.properties = AudioProperties(
            sample_rate=int(sample_rate),
            channels=self.samples.shape[0],
            frames=self.samples.shape[1],
            subtype="FLOAT",
        )

    @property
    def rms(self) -> float:
        """Root mean square of all samples; full scale is 1."""
        meter = LevelMeter()
        for start in range(0, self.properties.frames, LEVEL_FRAMES):
            meter.push(self.samples[:, start : start + LEVEL_FRAMES])
        return meter.rms

    def look(self, *, level: bool) -> None:
        """Do nothing: all is known."""

    def open(self) -> "ArrayReader":
        """Begin to read it."""
        return ArrayReader(self.samples, self.properties)

    def digest(self) -> str:
        """The sha256 of rate, shape and samples."""
        digest = hashlib.sha256(f"{self.properties.sample_rate} {self.samples.shape}".encode())
        digest.update(np.ascontiguousarray(self.samples).tobytes())
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """Do nothing: the samples are a copy of what was given."""


class ArrayReader:
    """Reads an array. It is a context manager.

    Args:
        samples: ``[C, T]``.
        properties: Of the array.
    """

    def __init__(self, samples: NDArray[np.float32], properties: AudioProperties) -> None:
        self.properties = properties
        self._samples = samples
        self._position = 0

    def __enter__(self) -> "ArrayReader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next samples, fewer than ``frames`` at the end, ``[C, n]``."""
        block = self._samples[:, self._position : self._position + frames]
        self._position += block.shape[1]
        return block


def read_all(source: AudioSource, block_frames: int) -> Iterator[NDArray[np.float32]]:
    """All of a sound in blocks of up to ``block_frames``, ``[C, n]`` each.

    Raises:
        AudioError: It cannot be decoded.
    """
    frames = source.properties.frames
    most = fit_frames(block_frames, source.properties.channels)
    with source.open() as reader:
        for start in range(0, frames, most):
            yield reader.read(min(most, frames - start))


def fit_frames(frames: int, channels: int) -> int:
    """Length of a block: shorter for very many channels."""
    return max(1, min(frames, MOST_BLOCK_SAMPLES // channels))


def check_finite(block: NDArray[np.floating[Any]], name: str) -> None:
    """Refuse samples that are not numbers.

    Raises:
        UnsuitableAudio: There is a NaN or an infinity.
    """
    if not np.isfinite(block).all():
        raise UnsuitableAudio(f"{name}: contains NaN or infinity", "Repair it: export it again.")
