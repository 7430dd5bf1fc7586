"""Ogg files through libsndfile, link by link.

An Ogg file may be a chain of complete streams, one after the other (RFC 3533, section 4).
libsndfile reads the first one only, so each is given to it as a file of its own. FFmpeg would lose
the first block of a Vorbis stream.
"""

import io
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from msdm_cli.audio.channel_order import from_vorbis
from msdm_cli.audio.formats import describe_readable
from msdm_cli.audio.ogg_serial import CAPTURE, HEADER, SEGMENTS
from msdm_cli.digest import ReadableFile
from msdm_cli.errors import UnreadableAudio

FLAGS = 5
FIRST_PAGE = 2
"""Bit of the flags of a page: it is the first of its stream."""
BLOCK_FRAMES = 1 << 16

FAILURES = (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError)
"""What soundfile raises for a file that it cannot open or decode."""

NAMES = {1: ("FC",), 2: ("FL", "FR"), 6: ("FL", "FR", "FC", "LFE", "BL", "BR")}


class OggDecoder:
    """Decodes the sound of an Ogg file. It is a context manager.

    Args:
        path: The file.
        file: The same, open.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        channel_names: FFmpeg's names of the channels; empty if they are not known.
        subtype: ``VORBIS`` and the like, in libsndfile's terms.
        claimed_frames: None: pages do not state a length ahead.
        tags: What the first stream says of itself.
        damaged: Always 0; a stream that breaks off ends there.

    Raises:
        UnreadableAudio: It is not a file of sound that libsndfile knows.
    """

    def __init__(self, path: Path, file: ReadableFile) -> None:
        self.path = path
        self._file = file
        self.damaged = 0
        self.claimed_frames = None
        try:
            self._links = list_links(path)
            with self._open(self._links[0]) as first:
                self.sample_rate = first.samplerate
                self.channels = first.channels
                self.subtype = first.subtype
                found = {tag: getattr(first, tag) for tag in first.copy_metadata()}
        except FAILURES as error:
            reason = str(error).rpartition(": ")[2].rstrip(".") or "unknown format"
            raise UnreadableAudio(
                f"{path}: is not a sound file that can be read ({reason})", describe_readable()
            ) from error
        self.tags = {tag: text for tag, text in found.items() if text}
        self.channel_names = NAMES.get(self.channels, ())

    def __enter__(self) -> "OggDecoder":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def count_frames(self) -> int:
        """The true length in samples, by decoding the whole file.

        Raises:
            UnreadableAudio: It cannot be decoded.
        """
        return sum(block.shape[1] for block in self.blocks())

    def guess_frames(self) -> int:
        """The length that the last pages of all streams state.

        Raises:
            UnreadableAudio: They cannot be read.
        """
        try:
            return sum(self._open(link).frames for link in self._links)
        except FAILURES as error:
            raise UnreadableAudio(
                f"{self.path}: cannot be decoded ({error})", describe_readable()
            ) from error

    def blocks(self) -> Generator[NDArray[np.float32], None, None]:
        """All samples, ``[C, n]`` each, in the order of channels that WAV has.

        Raises:
            UnreadableAudio: A stream cannot be decoded, or streams differ in rate or channels.
        """
        for number, link in enumerate(self._links, start=1):
            yield from self._decode(number, link)

    def _decode(
        self, number: int, link: tuple[int, int]
    ) -> Generator[NDArray[np.float32], None, None]:
        """All samples of one stream of the chain."""
        try:
            with self._open(link) as file:
                if (file.samplerate, file.channels) != (self.sample_rate, self.channels):
                    raise UnreadableAudio(
                        f"{self.path}: rate or channels change in its stream {number}",
                        "Convert it to one rate and one number of channels.",
                    )
                while len(block := file.read(BLOCK_FRAMES, "float32", always_2d=True)):
                    yield block.T if self.subtype == "FLAC" else from_vorbis(block.T)
        except FAILURES as error:
            raise UnreadableAudio(
                f"{self.path}: cannot be decoded ({error})", describe_readable()
            ) from error

    def _open(self, link: tuple[int, int]) -> soundfile.SoundFile:
        return soundfile.SoundFile(io.BufferedReader(_Part(self._file, *link)))


class _Part(io.RawIOBase):
    """A part of a file as a file. Nobody else may read that one meanwhile."""

    def __init__(self, file: ReadableFile, start: int, stop: int) -> None:
        self._file = file
        self._start = start
        self._size = stop - start
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}
        return self._file.seek(self._start + max(0, bases[whence] + offset)) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def readinto(self, buffer: Any) -> int:
        left = max(0, self._size - self.tell())
        content = self._file.read(min(len(buffer), left))
        buffer[: len(content)] = content
        return len(content)


def list_links(path: Path) -> list[tuple[int, int]]:
    """Where each stream of a chain begins and ends, in bytes.

    Streams that begin together, as sound and pictures of a video do, are one link.

    Raises:
        OSError: The file cannot be read.
    """
    starts = [0]
    size = path.stat().st_size
    # Unbuffered: a few bytes of each page are all that is read of the file here.
    with path.open("rb", buffering=0) as file:
        position = 0
        first_group = True
        while position < size:
            file.seek(position)
            head = file.read(HEADER)
            if len(head) < HEADER or not head.startswith(CAPTURE):
                break  # damaged, or something else after the last page: libsndfile decides
            is_first = bool(head[FLAGS] & FIRST_PAGE)
            if is_first and not first_group:
                starts.append(position)
            first_group = is_first
            position += HEADER + head[SEGMENTS] + sum(file.read(head[SEGMENTS]))
    return list(zip(starts, [*starts[1:], size], strict=True))
