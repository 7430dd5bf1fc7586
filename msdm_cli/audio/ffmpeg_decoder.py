"""Sound files through FFmpeg's libraries (PyAV): all that is not Ogg.

Lengths in headers are not believed here: all packets are decoded, to the end of the file.
"""

import contextlib
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.formats import describe_readable
from msdm_cli.digest import ReadableFile
from msdm_cli.errors import UnreadableAudio

CONTAINERS = (
    "wav",
    "w64",
    "aiff",
    "au",
    "caf",
    "flac",
    "mp3",
    "mov",
    "matroska",
    "asf",
    "aac",
    "wv",
    "ape",
    "tta",
    "avi",
    "mpegts",
)
"""FFmpeg's names of the containers that are read; not of playlists, which open other files."""

PCM_SUBTYPES = {
    "pcm_s16": "PCM_16",
    "pcm_s24": "PCM_24",
    "pcm_s32": "PCM_32",
    "pcm_f32": "FLOAT",
    "pcm_f64": "DOUBLE",
}
"""libsndfile's names of samples, by the beginning of FFmpeg's."""

SCALES = {"u8": 2.0**-7, "s16": 2.0**-15, "s32": 2.0**-31, "s64": 2.0**-63}
"""Size of a unit relative to full scale, by FFmpeg's name of integers."""

SHORTEST_GAP = 256
"""A lost packet is longer, in samples. Time stamps in milliseconds round by less at usual rates."""
FIRST_PACKETS = 256
"""So many tell how long a file is for its size, in ``guess_frames``."""
MOST_TIMES_EXPECTED = 8
"""Music that begins loudly and ends softly is longer than its first packets let expect, but not
by more than this factor."""
LONGEST_GAP_SECONDS = 60
"""A longer gap is a false time stamp."""

FAILURES = (
    av.error.FFmpegError,
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    AttributeError,
)
"""What PyAV raises for a file that it cannot open or decode."""

av.logging.set_level(None)  # FFmpeg writes to the standard error: ours is for people and programs


class FfmpegDecoder:
    """Decodes the first sound track of a file. It is a context manager.

    Args:
        path: Name of the file, for messages.
        file: The file, open at its beginning. FFmpeg could not open a name that is not UTF-8.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        channel_names: FFmpeg's names of the channels; empty if the file does not say.
        subtype: What keeps its samples, in libsndfile's terms; PCM_16 for lossy codecs.
        claimed_frames: Length that the header states, in samples; None if it does not, or guesses.
        tags: What the file says of itself, by lower-case name.
        damaged: Places that could not be decoded so far.

    Raises:
        UnreadableAudio: FFmpeg finds no sound in it.
    """

    def __init__(self, path: Path, file: ReadableFile) -> None:
        self.path = path
        self.damaged = 0
        with contextlib.ExitStack() as stack:
            try:
                self._container = stack.enter_context(
                    av.open(
                        file,
                        metadata_errors="replace",
                        container_options={
                            "format_whitelist": ",".join(CONTAINERS),
                            "protocol_whitelist": "",
                        },
                    )
                )
                stream = next(iter(self._container.streams.audio), None)
                codec = stream.codec_context if stream is not None else None
                if stream is None or not (codec and codec.rate and codec.layout.nb_channels):
                    raise ValueError("it holds no sound")
                self._stream = stream
                self._describe()
            except FAILURES as error:
                raise _unreadable(path, error) from error
            self._stack = stack.pop_all()

    def __enter__(self) -> "FfmpegDecoder":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _describe(self) -> None:
        codec = self._stream.codec_context
        self.sample_rate = int(self._stream.rate)
        self.channels = int(codec.layout.nb_channels)
        names = tuple(channel.name for channel in codec.layout.channels)
        self.channel_names = () if "NONE" in names else names
        self.tags = {
            key.lower(): str(value)
            for key, value in {**self._container.metadata, **self._stream.metadata}.items()
        }
        self._is_pcm = codec.name.startswith("pcm_")
        self.subtype = self._find_subtype(codec.name, codec.format.name if codec.format else "")
        self.claimed_frames = None
        # MP3 and AAC streams have no length: FFmpeg guesses one from the bit rate.
        if self._container.format.name not in ("mp3", "aac") and self._stream.duration:
            seconds = self._stream.duration * (self._stream.time_base or 0)
            self.claimed_frames = round(seconds * self.sample_rate)

    def _find_subtype(self, codec: str, sample_format: str) -> str:
        for beginning, subtype in PCM_SUBTYPES.items():
            if codec.startswith(beginning):
                return subtype
        # Lossless codecs keep integers; more than 16 bits arrive in 32.
        if codec in ("flac", "alac", "wavpack", "ape", "tta") and sample_format.startswith("s32"):
            return "PCM_24"
        return "PCM_16"

    def count_frames(self) -> int:
        """The true length in samples, by going through the whole file.

        Raises:
            UnreadableAudio: Nothing can be decoded.
        """
        rate = self._stream.time_base
        if not (self._is_pcm and rate is not None and rate.denominator == self.sample_rate):
            return sum(block.shape[1] for block in self.blocks())
        try:  # a packet of PCM says how many samples it holds
            return sum(packet.duration or 0 for packet in self._container.demux(self._stream))
        except FAILURES as error:
            raise _unreadable(self.path, error) from error

    def guess_frames(self) -> int | None:
        """The length that the header states; None if it must be counted.

        A header that states far more than the first packets let expect is not believed, and the
        bytes of PCM can be counted. After this only ``count_frames`` of another decoder is exact.

        Raises:
            UnreadableAudio: Nothing can be read.
        """
        try:
            packets = list(islice(self._container.demux(self._stream), FIRST_PACKETS))
        except FAILURES as error:
            raise _unreadable(self.path, error) from error
        time_base = float(self._stream.time_base or 0)
        frames = sum(packet.duration or 0 for packet in packets) * time_base * self.sample_rate
        used = sum(packet.size for packet in packets)
        expected = round(self._container.size * frames / used) if used else 0
        stated = round((self._stream.duration or 0) * time_base * self.sample_rate)
        if self._is_pcm:
            stated = min(stated, expected)
        return stated if 0 < stated <= MOST_TIMES_EXPECTED * expected else None

    def blocks(self) -> Generator[NDArray[np.float32], None, None]:
        """All samples, ``[C, n]`` each. What cannot be decoded in the middle is silence.

        Raises:
            UnreadableAudio: Nothing can be decoded, or rate or channels change on the way.
        """
        following = None
        for frame in self._frames():
            found = (frame.sample_rate, frame.layout.nb_channels)
            if found != (self.sample_rate, self.channels):
                raise UnreadableAudio(
                    f"{self.path}: rate or channels change in the middle",
                    "Convert it to one rate and one number of channels.",
                )
            start = None
            if frame.pts is not None and frame.time_base is not None:
                start = round(frame.pts * frame.time_base * self.sample_rate)
            gap = start - following if start is not None and following is not None else 0
            if SHORTEST_GAP <= gap < LONGEST_GAP_SECONDS * self.sample_rate:
                self.damaged += 1
                yield np.zeros((self.channels, gap), np.float32)
            # Frames right after damage may have no time stamp: the gap is filled before the first
            # that has.
            known = following if start is None else start
            following = None if known is None else known + frame.samples
            yield _to_float(frame.to_ndarray(), frame.format.packed.name, self.channels)

    def _frames(self) -> Iterator[av.AudioFrame]:
        """All frames that can be decoded."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                frames = packet.decode() if packet is not None else None
            except av.error.InvalidDataError:
                continue  # the time stamp of the next frame tells how much is lost
            except FAILURES as error:
                raise _unreadable(self.path, error) from error
            if frames is None:
                return
            yield from frames


def _to_float(samples: NDArray[Any], sample_format: str, channels: int) -> NDArray[np.float32]:
    """Samples of a frame as floats, full scale 1, ``[C, n]``."""
    if len(samples) != channels:  # packed: one channel's sample after the other's
        samples = samples.reshape(-1, channels).T
    if sample_format in SCALES:
        offset = 128 if sample_format == "u8" else 0
        scaled = (samples.astype(np.float64) - offset) * SCALES[sample_format]
        return scaled.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused where samples are read
        return samples.astype(np.float32)


def _unreadable(path: Path, error: Exception) -> UnreadableAudio:
    reason = getattr(error, "strerror", None) or str(error) or "unknown format"
    return UnreadableAudio(
        f"{path}: is not a sound file that can be read ({reason.lower()})", describe_readable()
    )
