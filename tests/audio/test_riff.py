import pytest
import soundfile
from conftest import music

from msdm_cli.audio.riff import read_stated_frames


def read_frames(path):
    with path.open("rb") as file:
        return read_stated_frames(file)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_header_states_the_length(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, music(1234, 2).T, 22050, subtype)
    assert read_frames(path) == 1234
    path.write_bytes(path.read_bytes()[:2000])
    assert read_frames(path) == 1234


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_stream_states_nothing(tmp_path, size):
    path = tmp_path / "a.wav"
    soundfile.write(path, music(1000).T, 22050, "PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert read_frames(path) is None


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC" + bytes(40)])
def test_other_files_state_nothing(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert read_frames(path) is None
