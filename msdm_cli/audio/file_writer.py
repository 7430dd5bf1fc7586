"""One sound file that is written, under a temporary name until it is complete."""

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from msdm_cli.audio.channel_order import sndfile_map, to_vorbis
from msdm_cli.audio.formats import FORMATS, SoundFormat, Subtype
from msdm_cli.errors import MissingFormat, UnsuitableFormat, UnwritableAudio
from msdm_cli.temporary import create_temporary

RIFF_BYTES = (1 << 32) - (1 << 20)
"""Beyond these, RIFF's 32-bit size field overflows."""
WRITE_FRAMES = 1 << 16
"""Samples of one write: libvorbis holds a whole write on the stack."""
SFC_SET_ADD_PEAK_CHUNK = 0x1050
SFC_SET_CHANNEL_MAP_INFO = 0x1101
SFC_SET_COMPRESSION_LEVEL = 0x1301
"""Commands of libsndfile, of sndfile.h."""
MOST_TAG_BYTES = 2000
"""A longer tag is left out: libsndfile writes no readable WAV file with one."""

Block = NDArray[np.float32] | NDArray[np.int32]


@dataclass(frozen=True)
class SoundShape:
    """What the files of one result have in common.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        frames: Length, in samples.
        subtype: How samples are stored.
        tags: Title and the like.
        channel_names: FFmpeg's names of the channels; empty if they are not known.
    """

    sample_rate: int
    channels: int
    frames: int
    subtype: Subtype
    tags: Mapping[str, str] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()

    def tag(self, stem: str) -> "SoundShape":
        """The shape with the stem in the title, if there is a title."""
        title = self.tags.get("title")
        if not title:
            return self
        return replace(self, tags={**self.tags, "title": f"{title} ({stem})"})


class SoundFileWriter:
    """Writes one file, under a temporary name until it is complete.

    As a context manager it leaves nothing behind unless ``finish`` and ``commit`` were called.

    Args:
        path: Final name; its suffix is that of a format in ``FORMATS``.
        shape: What is written.

    Raises:
        UnwritableAudio: The folder cannot be written, or the format has no such subtype.
    """

    def __init__(self, path: Path, shape: SoundShape) -> None:
        self.path = path
        self.shape = shape
        self.clipped = 0
        self.temporary: Path | None = None
        suffix = path.suffix.lower()
        self._format = next(row for row in FORMATS.values() if row.suffix == suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._open()
        except (soundfile.SoundFileError, RuntimeError, OSError) as error:
            self.discard()
            raise write_failure(path, error) from error
        except ValueError as error:
            raise _describe_refusal(path, self._format, error) from error
        for tag, text in shape.tags.items():
            if len(text.encode()) > MOST_TAG_BYTES:
                continue
            # Not every format has every tag.
            with contextlib.suppress(soundfile.SoundFileError, RuntimeError):
                setattr(self._file, tag, text)

    def _open(self) -> soundfile.SoundFile:
        """The temporary file.

        Raises:
            SoundFileError, RuntimeError, OSError, ValueError: It cannot be opened.
        """
        shape = self.shape
        channel_map = sndfile_map(shape.channel_names)
        container = self._choose_container(channel_map)
        descriptor, self.temporary = create_temporary(self.path)
        if sys.platform == "win32":  # libsndfile may not share descriptors with Python there
            os.close(descriptor)
        try:
            file = soundfile.SoundFile(
                str(self.temporary) if sys.platform == "win32" else descriptor,
                "w",
                shape.sample_rate,
                shape.channels,
                shape.subtype.name,
                format=container,
            )
        except BaseException:
            self.discard()
            with contextlib.suppress(OSError):
                os.close(descriptor)
            raise
        # A peak chunk holds the time of writing: no two files of floats would be the same.
        _command(file, SFC_SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)
        if self._format.compression is not None:
            level = soundfile._ffi.new("double*", self._format.compression)
            _command(file, SFC_SET_COMPRESSION_LEVEL, level, soundfile._ffi.sizeof("double"))
        if channel_map and container == self._format.masked_format:
            numbers = soundfile._ffi.new("int[]", channel_map)
            _command(file, SFC_SET_CHANNEL_MAP_INFO, numbers, soundfile._ffi.sizeof(numbers))
        return file

    def _choose_container(self, channel_map: list[int] | None) -> str:
        """The container by its name in libsndfile: of 64-bit sizes, or with a mask of channels."""
        shape = self.shape
        size = shape.frames * shape.channels * shape.subtype.bytes_per_sample
        if self._format.large_format and size > RIFF_BYTES:
            return self._format.large_format
        if self._format.masked_format and channel_map:
            return self._format.masked_format
        return self._format.libsndfile_name

    def __enter__(self) -> "SoundFileWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def write(self, block: Block) -> None:
        """Append samples, ``[C, n]``: floats, or integers that fill 32 bits.

        Raises:
            UnwritableAudio: The disk is full, or otherwise fails.
        """
        if block.dtype != np.int32 and not self.shape.subtype.floating:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1))
            block = np.clip(block, np.float32(-1), np.float32(1)).astype(np.float32)
        if self._format.vorbis_order:
            block = to_vorbis(block)
        try:
            for start in range(0, block.shape[1], WRITE_FRAMES):
                part = block[:, start : start + WRITE_FRAMES]
                self._file.write(np.ascontiguousarray(part.T))
        # libsndfile writes fewer frames on a full disk, and soundfile asserts that it wrote all.
        except (soundfile.SoundFileError, AssertionError, RuntimeError, OSError) as error:
            raise write_failure(self.path, error) from error

    def finish(self) -> None:
        """Close the file and make sure that it is whole, still under its temporary name.

        Raises:
            UnwritableAudio: What lies on the disk is not what was written.
        """
        try:
            temporary = self._close()
            if self._format.finish:
                self._format.finish(temporary)
            with temporary.open("r+b") as file:  # Windows flushes only what is open for writing
                os.fsync(file.fileno())
            found = _count_frames(temporary)
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
            raise write_failure(self.path, error) from error
        if found != self.shape.frames:
            raise write_failure(self.path, f"{found} of {self.shape.frames} samples arrived")

    def commit(self) -> None:
        """Give the finished file its name.

        Raises:
            UnwritableAudio: The folder does not allow it.
        """
        try:
            self._close().replace(self.path)
        except OSError as error:
            raise write_failure(self.path, error) from error

    def _close(self) -> Path:
        """Close the file; its temporary path."""
        self._file.close()
        if self.temporary is None:
            raise ValueError("expected an open file, got none")
        return self.temporary

    def discard(self) -> None:
        """Leave nothing behind; does nothing after ``commit``."""
        failures = (soundfile.SoundFileError, RuntimeError, OSError, AttributeError)
        with contextlib.suppress(*failures):
            self._file.close()
        if self.temporary is not None:
            with contextlib.suppress(OSError):
                self.temporary.unlink(missing_ok=True)


def _describe_refusal(path: Path, kind: SoundFormat, error: ValueError) -> UnwritableAudio:
    """The error of a format that libsndfile does not write: an old one lacks some."""
    if kind.libsndfile_name not in soundfile.available_formats() or not any(
        soundfile.check_format(kind.libsndfile_name, name) for name in kind.subtypes
    ):
        return MissingFormat(
            f"libsndfile {soundfile.__libsndfile_version__} on this machine writes no {kind.name}",
            "pip install --upgrade soundfile brings one that does.",
        )
    return UnsuitableFormat(f"{path}: {error}", "Choose another format or subtype.")


def _count_frames(path: Path) -> int:
    """Length of a finished file, in samples."""
    with path.open("rb") as file, soundfile.SoundFile(file) as sound:
        frames: int = sound.frames
    return frames


def _command(file: soundfile.SoundFile, command: int, data: object, size: int) -> None:
    """Have libsndfile do what soundfile has no method for."""
    soundfile._snd.sf_command(file._file, command, data, size)


def write_failure(path: Path, reason: object) -> UnwritableAudio:
    """The error of a file that cannot be written."""
    return UnwritableAudio(
        f"{path}: cannot be written ({reason})",
        "Make room on the disk, or choose another folder.",
    )
