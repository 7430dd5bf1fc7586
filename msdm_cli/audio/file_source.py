"""Sound files that are read, as streams of ``[C, T]`` blocks.

soundfile's ``[T, C]`` does not leave ``msdm_cli.audio``.
"""

from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from msdm_cli.audio.formats import describe_readable
from msdm_cli.audio.source import RATES_HZ, AudioProperties, check_finite
from msdm_cli.digest import digest_file
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio

TAGS = (
    "title",
    "artist",
    "album",
    "tracknumber",
    "date",
    "genre",
    "comment",
    "copyright",
    "license",
)
LONGEST_FRAMES = 1 << 40
"""A header that claims more is damaged: this is 290 days at 44 100 Hz."""
FAILURES = (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError)
"""What soundfile raises for a file that it cannot open or decode."""


class FileSource:
    """A sound file, or a part of it.

    Args:
        path: The file.
        start_seconds: Where to begin.
        duration_seconds: How much to read at most; to the end if None.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
        UnsuitableAudio: The part that was asked for holds no samples.
    """

    def __init__(
        self, path: Path, start_seconds: float = 0.0, duration_seconds: float | None = None
    ) -> None:
        self.path = path
        self._state = _file_state(path)
        with _open_file(path) as file:
            rate = file.samplerate
            self._first = min(file.frames, round(start_seconds * rate))
            frames = file.frames - self._first
            if duration_seconds is not None:
                frames = min(frames, round(duration_seconds * rate))
            if frames < 1:
                where = f" after {start_seconds:g} s" if file.frames else ""
                raise UnsuitableAudio(
                    f"{path}: no samples{where}", "Give a file, or a part of it, that holds sound."
                )
            self.properties = AudioProperties(rate, file.channels, frames, file.subtype)
            self.tags = {tag: text for tag in TAGS if (text := getattr(file, tag))}

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def open(self) -> "FileReader":
        """Begin to read it.

        Raises:
            UnreadableAudio: It is not there any more, or cannot be read from the asked place on.
        """
        return FileReader(self.path, self._first, self.properties)

    def digest(self) -> str:
        """The sha256 of the whole file.

        Raises:
            UnreadableAudio: It cannot be read.
        """
        return digest_input(self.path)

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


class FileReader:
    """Reads a part of a sound file. It is a context manager, which closes the file.

    Args:
        path: The file.
        first: Where the part begins, in samples.
        properties: Of the part.

    Raises:
        UnreadableAudio: It cannot be read from there on.
    """

    def __init__(self, path: Path, first: int, properties: AudioProperties) -> None:
        self.path = path
        self.properties = properties
        self._left = properties.frames
        self._file = _open_file(path)
        try:
            self._file.seek(first)
        except FAILURES as error:
            self._file.close()
            raise UnreadableAudio(
                f"{path}: cannot be read from sample {first} on ({error})", describe_readable()
            ) from error

    def __enter__(self) -> "FileReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next samples, fewer than ``frames`` at the end, ``[C, n]``.

        Raises:
            UnreadableAudio: The file ends before its header says, or cannot be decoded.
            UnsuitableAudio: There is a NaN or an infinity.
        """
        wanted = min(frames, self._left)
        try:
            block = self._file.read(wanted, dtype="float32", always_2d=True).T
        except FAILURES as error:
            raise UnreadableAudio(
                f"{self.path}: cannot be decoded ({error})", describe_readable()
            ) from error
        if block.shape[1] < wanted:
            missing = self._left - block.shape[1]
            raise UnreadableAudio(
                f"{self.path}: ends {missing} samples before the end that its header states",
                "The file is damaged or was cut off; get it again, or convert it.",
            )
        check_finite(block, str(self.path))
        self._left -= wanted
        return np.ascontiguousarray(block)


def digest_input(path: Path) -> str:
    """The sha256 of a file that is read.

    Raises:
        UnreadableAudio: It cannot be read.
    """
    try:
        return digest_file(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _file_state(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is written again or replaced."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise _unreadable(path, error) from error
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _open_file(path: Path) -> soundfile.SoundFile:
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if empty:
        raise UnreadableAudio(f"{path}: is empty (0 bytes)", describe_readable())
    try:
        file = soundfile.SoundFile(path)
    except FAILURES as error:
        reason = str(error).rpartition(": ")[2].rstrip(".") or "unknown format"
        raise UnreadableAudio(
            f"{path}: is not a sound file that can be read ({reason})", describe_readable()
        ) from error
    low, high = RATES_HZ
    if not (file.frames < LONGEST_FRAMES and low <= file.samplerate <= high):
        claim = f"{file.frames} samples at {file.samplerate} Hz"
        file.close()
        raise UnreadableAudio(
            f"{path}: its header claims {claim}", "Write it again with another program."
        )
    return file


def _unreadable(path: Path, error: OSError | ValueError) -> UnreadableAudio:
    reason = getattr(error, "strerror", None) or str(error)
    return UnreadableAudio(f"{path}: {reason.lower()}", "Check the name.")
