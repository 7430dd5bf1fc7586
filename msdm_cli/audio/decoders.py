"""Which decoder reads a sound file: libsndfile for Ogg, FFmpeg for everything else."""

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msdm_cli.audio.formats import describe_readable
from msdm_cli.audio.ogg_serial import CAPTURE
from msdm_cli.audio.source import MOST_CHANNELS, RATES_HZ
from msdm_cli.digest import DigestedFile, ReadableFile
from msdm_cli.errors import UnreadableAudio
from msdm_cli.small_files import check_regular

if TYPE_CHECKING:
    from collections.abc import Callable

    from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
    from msdm_cli.audio.ogg_decoder import OggDecoder

    Decoder = FfmpegDecoder | OggDecoder

FileType = TypeVar("FileType", bound=ReadableFile)


@contextmanager
def decoding(path: Path) -> "Iterator[Decoder]":
    """The decoder of a sound file, as a context manager.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
    """
    with _opened(path, _open_plainly) as file, open_decoder(path, file) as decoder:
        yield decoder


@contextmanager
def decoding_and_digesting(path: Path) -> "Iterator[tuple[Decoder, DigestedFile]]":
    """The same, and the file under it, which takes its sha256.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
    """
    with _opened(path, DigestedFile) as file, open_decoder(path, file) as decoder:
        yield decoder, file


def open_decoder(path: Path, file: ReadableFile) -> "Decoder":
    """The decoder of an open file, by its first bytes. It leaves the file open.

    Raises:
        UnreadableAudio: It is not a sound file.
    """
    # FFmpeg's libraries take 50 MB, which only a sound file is worth.
    from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
    from msdm_cli.audio.ogg_decoder import OggDecoder

    try:
        beginning = file.read(len(CAPTURE))
        file.seek(0)
    except OSError as error:
        raise unreadable(path, error) from error
    if not beginning:
        raise UnreadableAudio(f"{path}: is empty (0 bytes)", describe_readable())
    decoder = (
        OggDecoder(path, file) if beginning == CAPTURE else FfmpegDecoder(path, SteadyFile(file))
    )
    low, high = RATES_HZ
    if not low <= decoder.sample_rate <= high:
        stated, remedy = f"{decoder.sample_rate} Hz", "Write it again with another program."
    elif decoder.channels > MOST_CHANNELS:
        stated = f"{decoder.channels} channels"
        remedy = f"Split it into files of at most {MOST_CHANNELS} channels."
    else:
        return decoder
    with decoder:
        raise UnreadableAudio(f"{path}: its header states {stated}", remedy)


class SteadyFile:
    """A file whose damage leads to no exception in ``seek``, which PyAV would print.

    Args:
        file: The file.
    """

    def __init__(self, file: ReadableFile) -> None:
        self.read = file.read
        self.tell = file.tell
        self._file = file

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place; -1 if there is none."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1


def unreadable(path: Path, error: OSError | ValueError) -> UnreadableAudio:
    """What to raise for a file that the operating system does not give."""
    reason = getattr(error, "strerror", None) or str(error)
    return UnreadableAudio(f"{path}: {reason.lower()}", "Check the name.")


def _open_plainly(path: Path) -> ReadableFile:
    return path.open("rb")


@contextmanager
def _opened(path: Path, opened: "Callable[[Path], FileType]") -> Iterator[FileType]:
    try:
        check_regular(path)
        file = opened(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise unreadable(path, error) from error
    with closing(file):
        yield file
