from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.ogg_decoder import OggDecoder, list_links
from msdm_cli.errors import UnreadableAudio


def write(path, frames, rate=22050, channels=2, subtype="VORBIS", seed=0):
    soundfile.write(path, music(frames, channels, rate, seed).T, rate, subtype, format="OGG")
    return path


@contextmanager
def opened(path):
    with path.open("rb") as file, OggDecoder(path, file) as decoder:
        yield decoder


def decode(path):
    with opened(path) as decoder:
        return np.concatenate(list(decoder.blocks()), 1)


def chain(path, parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_single_stream_is_what_libsndfile_reads(tmp_path):
    path = write(tmp_path / "a.ogg", 30_000)
    np.testing.assert_array_equal(decode(path), soundfile.read(path, dtype="float32")[0].T)
    assert len(list_links(path)) == 1


@pytest.mark.parametrize(("subtype", "rate"), [("VORBIS", 22050), ("OPUS", 48000)])
def test_a_chain_is_all_of_its_streams(tmp_path, subtype, rate):
    parts = [
        write(tmp_path / f"{number}.ogg", frames, rate, subtype=subtype, seed=number)
        for number, frames in enumerate((30_000, 20_000, 25_000))
    ]
    path = chain(tmp_path / "chain.ogg", parts)
    np.testing.assert_array_equal(decode(path), np.concatenate([decode(p) for p in parts], 1))
    assert decode(path).shape == (2, 75_000)
    with opened(path) as decoder:
        assert decoder.count_frames() == decoder.guess_frames() == 75_000


def test_streams_of_other_rates_are_refused(tmp_path):
    parts = [write(tmp_path / "1.ogg", 5000), write(tmp_path / "2.ogg", 5000, rate=44100)]
    with pytest.raises(UnreadableAudio, match="change in its stream 2"):
        decode(chain(tmp_path / "chain.ogg", parts))


def test_channels_are_in_the_order_of_wav(tmp_path):
    tones = (200, 300, 400, 50, 500, 600)  # FL FR FC LFE BL BR
    time = np.arange(48_000) / 48_000
    wav = 0.3 * np.sin(2 * np.pi * np.array(tones)[:, None] * time)
    vorbis = wav[[0, 2, 1, 4, 5, 3]]
    soundfile.write(tmp_path / "a.ogg", vorbis.T, 48_000, "VORBIS", format="OGG")
    found = decode(tmp_path / "a.ogg")
    peaks = np.abs(np.fft.rfft(found)).argmax(1)
    assert tuple(peaks) == tones


def test_what_is_not_ogg_inside_is_refused(tmp_path):
    path = tmp_path / "a.ogg"
    path.write_bytes(b"OggS" + bytes(200))
    with pytest.raises(UnreadableAudio, match="is not a sound file"):
        decode(path)
