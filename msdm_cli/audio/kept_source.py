"""A sound that is read once, however often it is opened: what was read lies in a file.

Results that would clip are written again, quieter. Their song is not read again for that.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_writer import write_failure
from msdm_cli.audio.source import ArraySource, AudioProperties, AudioReader, AudioSource

MOST_MEMORY_BYTES = 1 << 24
"""A shorter sound is kept in memory."""

SAMPLE_BYTES = 4


class KeptSamples:
    """Samples in a file without a name: nothing is left of it, however the process ends.

    Args:
        folder: Where the file lies.
        channels: Number of channels.

    Attributes:
        frames: Samples that are in there.
    """

    def __init__(self, folder: Path, channels: int) -> None:
        self.frames = 0
        self._folder = folder
        self._channels = channels
        self._file = SpooledTemporaryFile(  # noqa: SIM115  closed by ``close``
            MOST_MEMORY_BYTES, dir=str(folder), prefix=".", suffix=".part"
        )

    def append(self, block: NDArray[np.float32]) -> None:
        """Keep more samples, ``[C, n]``.

        Raises:
            UnwritableAudio: The disk is full, or otherwise fails.
        """
        try:
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(block.T, np.float32).tobytes())
        except OSError as error:
            raise write_failure(self._folder, error) from error
        self.frames += block.shape[1]

    def read(self, position: int, frames: int) -> NDArray[np.float32]:
        """Samples from a position on, fewer than ``frames`` if no more are in there, ``[C, n]``.

        Raises:
            UnwritableAudio: The disk fails.
        """
        frame_bytes = self._channels * SAMPLE_BYTES
        wanted = max(0, min(frames, self.frames - position))
        try:
            self._file.seek(position * frame_bytes)
            content = self._file.read(wanted * frame_bytes)
        except OSError as error:
            raise write_failure(self._folder, error) from error
        samples = np.frombuffer(content, np.float32).reshape(wanted, self._channels)
        return np.ascontiguousarray(samples.T)

    def close(self) -> None:
        """Drop all."""
        self._file.close()


class KeptSource:
    """A sound that can be opened any number of times, also at once, and is read once.

    Args:
        source: The sound.
        folder: Where what was read is kept.
    """

    def __init__(self, source: AudioSource, folder: Path) -> None:
        self._source = source
        self._stack = ExitStack()
        self._reader: AudioReader | None = None
        self._kept = KeptSamples(folder, source.properties.channels)
        self._stack.callback(self._kept.close)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._source.name

    @property
    def properties(self) -> AudioProperties:
        """Of what is read."""
        return self._source.properties

    @property
    def tags(self) -> Mapping[str, str]:
        """Title, artist and the like."""
        return self._source.tags

    @property
    def rms(self) -> float:
        """Root mean square of all samples; full scale is 1."""
        return self._source.rms

    def look(self, *, level: bool) -> None:
        """Go through it once, and keep what is found."""
        self._source.look(level=level)

    def open(self) -> "KeptReader":
        """Begin to read it."""
        return KeptReader(self)

    def digest(self) -> str:
        """A sha256 that tells it from other sounds."""
        return self._source.digest()

    def check_unchanged(self) -> None:
        """Make sure that it is what it was."""
        self._source.check_unchanged()

    def read(self, position: int, frames: int) -> NDArray[np.float32]:
        """Samples from a position on, at most that of what was read so far, ``[C, n]``.

        Raises:
            AudioError: They cannot be decoded, or not kept.
        """
        known = self._kept.read(position, frames)
        if known.shape[1] == frames:
            return known
        if self._reader is None:
            self._reader = self._stack.enter_context(self._source.open())
        new = self._reader.read(frames - known.shape[1])
        self._kept.append(new)
        return np.concatenate((known, new), 1) if known.size else new

    def close(self) -> None:
        """Drop what was kept."""
        self._stack.close()


class KeptReader:
    """Reads a sound that is kept. It is a context manager.

    Args:
        source: The sound.
    """

    def __init__(self, source: KeptSource) -> None:
        self.properties = source.properties
        self._source = source
        self._position = 0

    def __enter__(self) -> "KeptReader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next samples, fewer than ``frames`` at the end, ``[C, n]``."""
        block = self._source.read(self._position, frames)
        self._position += block.shape[1]
        return block


def count_kept_bytes(sound: AudioProperties) -> int:
    """What keeping a sound takes on the disk."""
    size = sound.channels * sound.frames * SAMPLE_BYTES
    return size if size > MOST_MEMORY_BYTES else 0


@contextmanager
def keeping(sources: Mapping[str, AudioSource], folder: Path) -> Iterator[dict[str, AudioSource]]:
    """Sounds that are read once, however often they are opened. Arrays stay as they are.

    Args:
        sources: The sounds, by role.
        folder: Where what was read is kept.
    """
    with ExitStack() as stack:
        kept: dict[str, AudioSource] = dict(sources)
        for role, source in sources.items():
            if not isinstance(source, ArraySource):
                kept[role] = one = KeptSource(source, folder)
                stack.callback(one.close)
        yield kept
