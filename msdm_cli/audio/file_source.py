"""Sound files that are read, as streams of ``[C, T]`` blocks."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.decoders import decoding, unreadable
from msdm_cli.audio.first_look import FirstLook, Part, look_at_header, look_through
from msdm_cli.audio.source import AudioProperties, check_finite
from msdm_cli.digest import digest_file
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio


class FileSource:
    """A sound file, or a part of it.

    Args:
        path: The file.
        start_seconds: Where to begin.
        duration_seconds: How much to read at most; to the end if None.

    Raises:
        UnreadableAudio: It is not there.
    """

    def __init__(
        self, path: Path, start_seconds: float = 0.0, duration_seconds: float | None = None
    ) -> None:
        self.path = path
        self._part = Part(start_seconds, duration_seconds)
        self._state = _file_state(path)
        self._found: FirstLook | None = None
        self._sha256: str | None = None

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    @property
    def properties(self) -> AudioProperties:
        """Of the part.

        Raises:
            AudioError: As ``look``.
        """
        return self._known().properties

    @property
    def tags(self) -> dict[str, str]:
        """Title, artist and the like."""
        return self._known().tags

    @property
    def warnings(self) -> list[str]:
        """What a person should know of the file: it is cut off, or damaged in the middle."""
        return self._known().warnings

    @property
    def rms(self) -> float:
        """Root mean square of the samples of the part; full scale is 1."""
        self.look(level=True)
        rms = self._known().rms
        assert rms is not None
        return rms

    def look(self, *, level: bool) -> None:
        """Go through the file once, for its true length, its digest, and its level if asked for.

        Raises:
            UnreadableAudio: It is not there, or is not a sound file.
            UnsuitableAudio: The part that was asked for holds no samples, or what is no number.
        """
        found = self._found
        if found is None or found.sha256 is None or (level and found.rms is None):
            self._found = look_through(self.path, self._part, level=level)
            self._sha256 = self._found.sha256

    def believe_header(self) -> None:
        """Take the length that the header states, without decoding the file.

        Raises:
            UnreadableAudio: It is not there, or is not a sound file.
            UnsuitableAudio: The part that was asked for holds no samples.
        """
        self._found = look_at_header(self.path, self._part)

    def read_beginning(self, frames: int) -> NDArray[np.float32]:
        """The first samples of the file, wherever the part begins, ``[C, n]``.

        They are fewer than ``frames`` if the file holds no more.

        Raises:
            AudioError: They cannot be decoded, or are not numbers.
        """
        with decoding(self.path) as decoder:
            blocks = [np.zeros((decoder.channels, 0), np.float32)]
            left = frames
            for block in decoder.blocks():
                blocks.append(block[:, :left])
                left -= block.shape[1]
                if left <= 0:
                    break
        joined = np.concatenate(blocks, 1)
        check_finite(joined, str(self.path))
        return joined

    def open(self) -> "FileReader":
        """Begin to read it.

        Raises:
            UnreadableAudio: It is not there any more.
        """
        found = self._known()
        return FileReader(self.path, found.first, found.properties)

    def digest(self) -> str:
        """The sha256 of the whole file.

        Raises:
            UnreadableAudio: It cannot be read.
        """
        if self._sha256 is None:
            self._sha256 = digest_input(self.path)
        return self._sha256

    def check_unchanged(self) -> None:
        """Compare size and time of the last change with those of before.

        Raises:
            UnsuitableAudio: The file has changed.
        """
        if _file_state(self.path) != self._state:
            raise UnsuitableAudio(
                f"{self.path}: has changed while it was read",
                "Wait until it is complete, and start again.",
            )

    def _known(self) -> FirstLook:
        """What is known of the file, if need be from a look at it."""
        if self._found is None:
            self.look(level=False)
        assert self._found is not None
        return self._found


class FileReader:
    """Reads a part of a sound file. It is a context manager, which closes the file.

    What lies before the part is decoded and dropped: compressed files have no exact places to
    begin.

    Args:
        path: The file.
        first: Where the part begins, in samples.
        properties: Of the part.

    Raises:
        UnreadableAudio: The file cannot be opened.
    """

    def __init__(self, path: Path, first: int, properties: AudioProperties) -> None:
        self.path = path
        self.properties = properties
        self._left = properties.frames
        self._before = first
        with ExitStack() as stack:
            self._blocks = stack.enter_context(decoding(path)).blocks()
            self._stack = stack.pop_all()
        self._held = np.zeros((properties.channels, 0), np.float32)

    def __enter__(self) -> "FileReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._blocks.close()
        self._stack.close()

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next samples, fewer than ``frames`` at the end, ``[C, n]``.

        Raises:
            UnreadableAudio: The file ends before it did when its length was counted.
            UnsuitableAudio: There is a NaN or an infinity.
        """
        wanted = min(frames, self._left)
        parts = [self._held]
        count = self._held.shape[1]
        while count < wanted:
            block = next(self._blocks, None)
            if block is None:
                raise UnreadableAudio(
                    f"{self.path}: ends {self._left - count} samples too early",
                    "It has changed, or the disk fails; get it again.",
                )
            dropped = min(self._before, block.shape[1])
            self._before -= dropped
            parts.append(block[:, dropped:])
            count += block.shape[1] - dropped
        joined = np.concatenate(parts, 1)
        self._held = joined[:, wanted:]
        self._left -= wanted
        check_finite(joined[:, :wanted], str(self.path))
        return np.ascontiguousarray(joined[:, :wanted])


def digest_input(path: Path) -> str:
    """The sha256 of a file that is read.

    Raises:
        UnreadableAudio: It cannot be read.
    """
    try:
        return digest_file(path)
    except OSError as error:
        raise unreadable(path, error) from error


def _file_state(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is written again or replaced."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise unreadable(path, error) from error
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
