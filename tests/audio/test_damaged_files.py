"""Damaged sound files: they are read, or refused by an error of ours; nothing else happens."""

import io

import numpy as np
import pytest
import soundfile
from conftest import music
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import AudioError

BLOCK = 4096
LONGEST = 1 << 22


def encode(file_format, subtype):
    buffer = io.BytesIO()
    soundfile.write(buffer, music(6000, 2, 22050).T, 22050, subtype, format=file_format)
    return buffer.getvalue()


WHOLE = {
    "wav": encode("WAV", "PCM_16"),
    "wavex": encode("WAVEX", "FLOAT"),
    "flac": encode("FLAC", "PCM_16"),
    "ogg": encode("OGG", "VORBIS"),
    "mp3": encode("MP3", "MPEG_LAYER_III"),
}

edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["flip", "drop", "insert", "cut"]),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def damage(content, changes):
    found = bytearray(content)
    for place, kind, some in changes:
        # Headers are where it hurts: half of all places are in the first 128 bytes.
        start = int(place * 2 * 128) if place < 0.5 else int(place * len(found))
        if kind == "flip":
            found[start : start + len(some)] = some
        elif kind == "drop":
            del found[start : start + len(some)]
        elif kind == "insert":
            found[start:start] = some
        else:
            del found[start:]
    return bytes(found)


@pytest.mark.parametrize("kind", WHOLE)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=edits)
def test_damaged_files_are_read_or_refused(tmp_path, kind, changes):
    path = tmp_path / f"song.{kind}"
    path.write_bytes(damage(WHOLE[kind], changes))
    source = FileSource(path)
    try:
        source.believe_header()
        assert source.properties.frames <= LONGEST
        source.look(level=True)
        with source.open() as reader:
            properties, total = reader.properties, 0
            while total < min(properties.frames, LONGEST):
                block = reader.read(BLOCK)
                assert block.shape == (properties.channels, min(BLOCK, properties.frames - total))
                assert np.isfinite(block).all()
                total += block.shape[1]
    except AudioError as error:
        assert error.message
        assert "\n" not in error.message
