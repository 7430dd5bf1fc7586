"""Sound files that are read, as streams of ``[C, T]`` blocks.

A length in a header is a claim. The length that counts is that of what can be decoded.
"""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.formats import describe_readable
from msdm_cli.audio.ogg_serial import CAPTURE
from msdm_cli.audio.riff import read_stated_frames
from msdm_cli.audio.source import RATES_HZ, AudioProperties, check_finite
from msdm_cli.digest import digest_file
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio

if TYPE_CHECKING:
    from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
    from msdm_cli.audio.ogg_decoder import OggDecoder

    Decoder = FfmpegDecoder | OggDecoder

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
TRACK = "track"
"""FFmpeg's name of the tag ``tracknumber``."""
MISSING_SHARE = 0.01
"""A file that lacks more than this share of the length that it states is called cut off."""


class FileSource:
    """A sound file, or a part of it.

    Args:
        path: The file.
        start_seconds: Where to begin.
        duration_seconds: How much to read at most; to the end if None.

    Attributes:
        warnings: What a person should know of the file: it is cut off, or damaged in the middle.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
        UnsuitableAudio: The part that was asked for holds no samples.
    """

    def __init__(
        self, path: Path, start_seconds: float = 0.0, duration_seconds: float | None = None
    ) -> None:
        self.path = path
        self._state = _file_state(path)
        with open_decoder(path) as decoder:
            rate = decoder.sample_rate
            whole = decoder.count_frames()
            self.warnings = _find_damage(path, decoder, whole)
            found = {key if key != TRACK else "tracknumber": x for key, x in decoder.tags.items()}
            self.tags = {tag: found[tag] for tag in TAGS if found.get(tag)}
            self._first = min(whole, round(start_seconds * rate))
            frames = whole - self._first
            if duration_seconds is not None:
                frames = min(frames, round(duration_seconds * rate))
            if frames < 1:
                where = f" after {start_seconds:g} s" if whole else ""
                raise UnsuitableAudio(
                    f"{path}: no samples{where}", "Give a file, or a part of it, that holds sound."
                )
            self.properties = AudioProperties(
                rate, decoder.channels, frames, decoder.subtype, decoder.channel_names
            )

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def open(self) -> "FileReader":
        """Begin to read it.

        Raises:
            UnreadableAudio: It is not there any more.
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
        self._decoder = open_decoder(path)
        self._blocks = self._decoder.blocks()
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
        self._decoder.__exit__(kind, error, trace)

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


def open_decoder(path: Path) -> "Decoder":
    """The decoder of a sound file, by its first bytes.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
    """
    # FFmpeg's libraries take 50 MB, which only a sound file is worth.
    from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
    from msdm_cli.audio.ogg_decoder import OggDecoder

    try:
        with path.open("rb") as stream:
            beginning = stream.read(len(CAPTURE))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not beginning:
        raise UnreadableAudio(f"{path}: is empty (0 bytes)", describe_readable())
    decoder = OggDecoder(path) if beginning == CAPTURE else FfmpegDecoder(path)
    low, high = RATES_HZ
    if not low <= decoder.sample_rate <= high:
        with decoder:
            raise UnreadableAudio(
                f"{path}: its header states {decoder.sample_rate} Hz",
                "Write it again with another program.",
            )
    return decoder


def digest_input(path: Path) -> str:
    """The sha256 of a file that is read.

    Raises:
        UnreadableAudio: It cannot be read.
    """
    try:
        return digest_file(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _find_damage(path: Path, decoder: "Decoder", frames: int) -> list[str]:
    """What a person should know of a file whose true length has been counted."""
    warnings = []
    if decoder.damaged:
        warnings.append(f"{path}: damaged in {decoder.damaged} places, which are silent")
    stated = read_stated_frames(path) or decoder.claimed_frames
    if stated and stated - frames > MISSING_SHARE * stated:
        rate = decoder.sample_rate
        warnings.append(
            f"{path}: holds {frames / rate:.1f} s of the {stated / rate:.1f} s that its header "
            "states; the rest is missing"
        )
    return warnings


def _file_state(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is written again or replaced."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise _unreadable(path, error) from error
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unreadable(path: Path, error: OSError | ValueError) -> UnreadableAudio:
    reason = getattr(error, "strerror", None) or str(error)
    return UnreadableAudio(f"{path}: {reason.lower()}", "Check the name.")
