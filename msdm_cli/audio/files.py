"""Sound files as streams of ``[C, T]`` blocks. soundfile's ``[T, C]`` does not leave this module."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from msdm_cli.audio.ogg_serial import fix_serial
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio, UnwritableAudio

FORMATS = ("wav", "flac", "ogg")
SUBTYPES = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "VORBIS")
PCM_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
DEEP = ("PCM_32", "FLOAT", "DOUBLE")
READABLE = "Give a wav, flac, ogg or mp3 file."
# Beyond these, RIFF's 32-bit size field overflows: RF64 is the same file with a 64-bit one.
RIFF_BYTES = (1 << 32) - (1 << 20)
BYTES_PER_SAMPLE = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
WRITE_FRAMES = 1 << 16
SFC_SET_ADD_PEAK_CHUNK = 0x1050  # of sndfile.h
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
# Headers lie: what claims more than these is damaged.
LONGEST_FRAMES = 1 << 40
RATES_HZ = (100, 1_000_000)


@dataclass(frozen=True)
class AudioProperties:
    """What a sound file says of itself.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        frames: Length, in samples.
        subtype: How a sample is stored, in libsndfile's terms.
    """

    sample_rate: int
    channels: int
    frames: int
    subtype: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


class SongReader:
    """Reads a song, or a part of it, in blocks.

    Args:
        path: The file.
        start_seconds: Where to begin.
        duration_seconds: How much to read at most; to the end if None.

    Attributes:
        properties: What the file says of itself, of the part that is read.
        tags: Title, artist and what else of ``TAGS`` the file tells.

    Raises:
        UnreadableAudio: It is not there, or not a sound file.
        UnsuitableAudio: There are no samples in the part that was asked for.
    """

    def __init__(
        self, path: Path, start_seconds: float = 0.0, duration_seconds: float | None = None
    ) -> None:
        self.path = path
        self._file = _open(path)
        rate, frames = self._file.samplerate, self._file.frames
        first = min(frames, round(start_seconds * rate))
        rest = frames - first
        wanted = rest if duration_seconds is None else min(rest, round(duration_seconds * rate))
        self.properties = AudioProperties(rate, self._file.channels, wanted, self._file.subtype)
        if wanted < 1:
            self._file.close()
            reason = "no samples" if not frames else f"no samples after {start_seconds:g} s"
            raise UnsuitableAudio(
                f"{path}: {reason}", "Give a file, or a part of it, that holds sound."
            )
        self.tags = {tag: text for tag in TAGS if (text := getattr(self._file, tag))}
        self._left = wanted
        try:
            self._file.seek(first)
        except (soundfile.SoundFileError, RuntimeError) as error:
            self._file.close()
            raise UnreadableAudio(
                f"{path}: cannot be read from {start_seconds:g} s on ({error})", READABLE
            ) from error

    def __enter__(self) -> "SongReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def read(self, frames: int) -> NDArray[np.float32]:
        """The next ``frames`` samples, fewer at the end, ``[C, n]``.

        Raises:
            UnreadableAudio: The file ends before its header says, or cannot be decoded.
            UnsuitableAudio: There is a NaN or an infinity.
        """
        wanted = min(frames, self._left)
        try:
            block = self._file.read(wanted, dtype="float32", always_2d=True).T
        except (soundfile.SoundFileError, RuntimeError, OSError) as error:
            raise UnreadableAudio(f"{self.path}: cannot be decoded ({error})", READABLE) from error
        if block.shape[1] < wanted:
            missing = self._left - block.shape[1]
            raise UnreadableAudio(
                f"{self.path}: ends {missing} samples before the end that its header states",
                "The file is damaged or was cut off; get it again, or convert it.",
            )
        if not np.isfinite(block).all():
            raise UnsuitableAudio(
                f"{self.path}: contains NaN or infinity", "Repair the file: export it again."
            )
        self._left -= wanted
        return np.ascontiguousarray(block)

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """All that is left, in blocks of ``frames`` samples, ``[C, n]`` each."""
        while self._left:
            yield self.read(frames)


def _open(path: Path) -> soundfile.SoundFile:
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise UnreadableAudio(
            f"{path}: {(error.strerror or str(error)).lower()}", "Check the name."
        ) from error
    if empty:
        raise UnreadableAudio(f"{path}: is empty (0 bytes)", READABLE)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError) as error:
        reason = str(error).rpartition(": ")[2].rstrip(".") or "unknown format"
        raise UnreadableAudio(
            f"{path}: is not a sound file that can be read ({reason})", READABLE
        ) from error
    low, high = RATES_HZ
    if not (file.frames < LONGEST_FRAMES and low <= file.samplerate <= high):
        claim = f"{file.frames} samples at {file.samplerate} Hz"
        file.close()
        raise UnreadableAudio(
            f"{path}: its header claims {claim}", "Write it again with another program."
        )
    return file


def output_subtype(file_format: str, asked: str | None, source: str) -> str:
    """How samples are stored: as asked, else as in the source where the format has that, else in 24 or 16 bits.

    Flac has neither 32 bits nor floats: 24 bits are the most that it keeps of them.

    Args:
        file_format: One of ``FORMATS``.
        asked: One of ``SUBTYPES``, or None.
        source: Subtype of the input.

    Raises:
        UnwritableAudio: The format does not have the asked subtype.
    """
    if asked is not None:
        if not soundfile.check_format(file_format.upper(), asked):
            known = ", ".join(
                subtype
                for subtype in SUBTYPES
                if soundfile.check_format(file_format.upper(), subtype)
            )
            raise UnwritableAudio(f"{file_format} has no subtype {asked}", f"It has {known}.")
        return asked
    if file_format == "ogg":
        return "VORBIS"
    if source in SUBTYPES and soundfile.check_format(file_format.upper(), source):
        return source
    return "PCM_24" if source in DEEP else "PCM_16"


class StemWriter:
    """Writes one file, under a temporary name until it is complete.

    As a context manager it leaves nothing behind unless ``finish`` and ``commit`` were called. What a killed process
    left behind under the temporary name is written over; who holds the journal of the work (``msdm_cli.pipelines``) is
    alone.

    Args:
        path: Final name; its suffix is the format.
        sample_rate: In hertz.
        channels: Number of channels.
        subtype: How samples are stored.
        frames: Expected length, in samples.
        tags: Title and the like, as far as the format has them.

    Raises:
        UnwritableAudio: The folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int,
        channels: int,
        subtype: str,
        frames: int,
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path, self.frames = path, frames
        self.temporary = path.with_name(f".{path.name}.part")
        file_format = path.suffix[1:].upper()
        if file_format == "WAV" and frames * channels * BYTES_PER_SAMPLE[subtype] > RIFF_BYTES:
            file_format = "RF64"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = soundfile.SoundFile(
                self.temporary, "w", sample_rate, channels, subtype, format=file_format
            )
            # Float files would tell when they were written, and no two be the same.
            soundfile._snd.sf_command(
                self._file._file, SFC_SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0
            )
        except (soundfile.SoundFileError, RuntimeError, OSError) as error:
            self.discard()
            raise UnwritableAudio(
                f"{path}: cannot be written ({error})", "Choose another folder with -o."
            ) from error
        except ValueError as error:
            raise UnwritableAudio(
                f"{path}: {error}", "Choose another --format or --subtype."
            ) from error
        for tag, text in tags.items():
            with contextlib.suppress(
                soundfile.SoundFileError, RuntimeError
            ):  # not every format has every tag
                setattr(self._file, tag, text)
        self.subtype = subtype
        self.clipped = 0

    def __enter__(self) -> "StemWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def write(self, block: NDArray[np.float32] | NDArray[np.int32]) -> None:
        """Append samples, ``[C, n]``: floats, or integers that fill 32 bits.

        Raises:
            UnwritableAudio: The disk is full, or otherwise fails.
        """
        if block.dtype != np.int32 and self.subtype not in ("FLOAT", "DOUBLE"):
            self.clipped += int(np.count_nonzero(np.abs(block) > 1))
            block = np.clip(block, np.float32(-1), np.float32(1)).astype(np.float32)
        try:
            # libvorbis holds a whole write on the stack.
            for start in range(0, block.shape[1], WRITE_FRAMES):
                self._file.write(np.ascontiguousarray(block[:, start : start + WRITE_FRAMES].T))
        # soundfile asserts that libsndfile wrote all frames, and libsndfile writes fewer on a full disk.
        except (soundfile.SoundFileError, AssertionError, RuntimeError, OSError) as error:
            raise self._failed(error) from error

    def finish(self) -> None:
        """Close the file and make sure that it is whole, still under its temporary name.

        Raises:
            UnwritableAudio: What lies on the disk is not what was written.
        """
        try:
            self._file.close()
            if self.path.suffix == ".ogg":
                fix_serial(self.temporary)
            with self.temporary.open(
                "r+b"
            ) as file:  # Windows flushes only what is open for writing
                os.fsync(file.fileno())
            found = soundfile.info(str(self.temporary)).frames
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
            raise self._failed(error) from error
        if found != self.frames:
            raise self._failed(f"{found} of {self.frames} samples arrived")

    def commit(self) -> None:
        """Give the finished file its name.

        Raises:
            UnwritableAudio: The folder does not allow it.
        """
        try:
            self.temporary.replace(self.path)
        except OSError as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        """Leave nothing behind; does nothing after ``commit``."""
        with contextlib.suppress(soundfile.SoundFileError, RuntimeError, OSError, AttributeError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def _failed(self, reason: object) -> UnwritableAudio:
        return UnwritableAudio(
            f"{self.path}: cannot be written ({reason})", "Make room on the disk, or choose -o."
        )
