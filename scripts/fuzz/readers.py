"""Damaged sound files."""

import functools
import io
from pathlib import Path

import av
import numpy as np
import soundfile
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import AudioError
from scripts.fuzz.damage import Edit, damage, list_edits

RATE = 22050
BLOCK = 4096
LONGEST = 1 << 21
"""Samples that are read of a file; a few bytes may hold hours of silence."""

SOUNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "wavex": ("WAVEX", "FLOAT"),
    "rf64": ("RF64", "PCM_24"),
    "w64": ("W64", "DOUBLE"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "FLOAT"),
    "caf": ("CAF", "ALAC_16"),
    "flac": ("FLAC", "PCM_24"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
FFMPEG = {"m4a": "aac", "mka": "libopus", "wma": "wmav2", "aac": "aac", "wv": "wavpack"}
CONTAINERS = {"m4a": "ipod", "mka": "matroska", "wma": "asf", "aac": "adts", "wv": "wv"}


def list_inputs() -> SearchStrategy[tuple[str, list[Edit]]]:
    """A kind of file, and how it is damaged."""
    return st.tuples(st.sampled_from((*SOUNDFILE, *FFMPEG)), list_edits())


def read(damaged: tuple[str, list[Edit]], folder: Path) -> None:
    """Read a file by its header and to its end.

    Raises:
        AudioError: It is not readable.
    """
    kind, edits = damaged
    path = folder / f"song.{kind}"
    path.write_bytes(damage(encode(kind), edits))
    source = FileSource(path)
    try:
        source.believe_header()
    except AudioError as error:
        assert error.message
    with FileSource(path).open() as reader:
        properties = reader.properties
        total = 0
        while total < min(properties.frames, LONGEST):
            block = reader.read(BLOCK)
            assert block.shape == (properties.channels, min(BLOCK, properties.frames - total))
            assert np.isfinite(block).all()
            total += block.shape[1]


@functools.cache
def encode(kind: str) -> bytes:
    """A whole file."""
    time = np.arange(6000) / RATE
    sound = 0.5 * np.sin(2 * np.pi * np.array([[220.0], [331.0]]) * time)
    buffer = io.BytesIO()
    if kind in SOUNDFILE:
        container, subtype = SOUNDFILE[kind]
        rate = 48000 if subtype == "OPUS" else RATE
        soundfile.write(buffer, sound.T, rate, subtype, format=container)
        return buffer.getvalue()
    with av.open(buffer, "w", CONTAINERS[kind]) as target:
        rate = 48000 if kind == "mka" else 44100
        stream = target.add_stream(FFMPEG[kind], rate=rate, layout="stereo")
        stream.bit_rate = 96_000
        planar = av.AudioFrame.from_ndarray(sound.astype(np.float32), "fltp", "stereo")
        planar.sample_rate = rate
        for packet in (*stream.encode(planar), *stream.encode(None)):
            target.mux(packet)
    return buffer.getvalue()
