"""Lengths in headers are claims: what can be decoded counts."""

from contextlib import contextmanager

import av
import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
from msdm_cli.errors import UnreadableAudio


@contextmanager
def opened(path):
    with path.open("rb") as file, FfmpegDecoder(path, file) as decoder:
        yield decoder


def decode(path):
    with opened(path) as decoder:
        return np.concatenate(list(decoder.blocks()), 1), decoder


def count(path):
    with opened(path) as decoder:
        return decoder.count_frames()


def guess(path):
    with opened(path) as decoder:
        return decoder.guess_frames()


def write_mp3(path, samples, rate=44100, **options):
    """An MP3 file as FFmpeg writes it; ``write_xing=0`` leaves out its length."""
    with av.open(str(path), "w", format="mp3", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.codec_context.options = {"q": "4"} if options.get("q") else {}
        for start in range(0, samples.shape[1], 1152):
            frame = av.AudioFrame.from_ndarray(
                samples[:, start : start + 1152], format="fltp", layout="mono"
            )
            frame.sample_rate = rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "subtype", "expected"),
    [
        ("a.wav", "PCM_U8", "PCM_16"),
        ("a.wav", "PCM_16", "PCM_16"),
        ("a.wav", "PCM_24", "PCM_24"),
        ("a.wav", "PCM_32", "PCM_32"),
        ("a.wav", "FLOAT", "FLOAT"),
        ("a.wav", "DOUBLE", "DOUBLE"),
        ("a.wav", "ULAW", "PCM_16"),
        ("a.flac", "PCM_16", "PCM_16"),
        ("a.flac", "PCM_24", "PCM_24"),
        ("a.aiff", "PCM_16", "PCM_16"),
        ("a.caf", "PCM_24", "PCM_24"),
    ],
)
def test_lossless_samples_are_those_of_libsndfile(tmp_path, name, subtype, expected):
    path = tmp_path / name
    soundfile.write(path, music(30_000, 2, 44100).T, 44100, subtype)
    samples, decoder = decode(path)
    np.testing.assert_array_equal(samples, soundfile.read(path, dtype="float32")[0].T)
    assert (decoder.subtype, decoder.sample_rate, decoder.channels) == (expected, 44100, 2)
    assert count(path) == guess(path) == 30_000


@pytest.mark.parametrize("options", [{}, {"write_xing": "0"}])
def test_an_mp3_is_decoded_to_its_end_with_or_without_a_length(tmp_path, options):
    path = tmp_path / "song.mp3"
    loud_then_quiet = music(150_000, 1, 44100)
    loud_then_quiet[:, 60_000:] *= 1e-3
    write_mp3(path, loud_then_quiet, **options)
    samples, decoder = decode(path)
    # Without the frame of LAME nothing tells the delay of the encoder: up to four frames more.
    more = samples.shape[1] - 150_000
    assert more == 0 if not options else 0 <= more < 4 * 1152
    assert count(path) == samples.shape[1]
    assert decoder.claimed_frames is None
    assert 0.3 < guess(path) / count(path) < 3


def test_two_mp3_files_after_each_other_are_one_song(tmp_path):
    parts = [tmp_path / "1.mp3", tmp_path / "2.mp3"]
    for number, part in enumerate(parts):
        write_mp3(part, music(50_000, 1, 44100, seed=number), write_xing="0")
    whole = tmp_path / "whole.mp3"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert count(whole) == pytest.approx(sum(map(count, parts)), abs=2 * 1152)


def test_a_flac_file_that_does_not_know_its_length(tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, music(20_000).T, 22050)
    content = bytearray(path.read_bytes())
    # STREAMINFO: the total number of samples is the low 36 bits of bytes 18 to 25.
    content[21] &= 0xF0
    content[22:26] = b"\0" * 4
    path.write_bytes(content)
    assert count(path) == 20_000
    assert guess(path) is None


def test_a_flac_file_that_claims_billions_of_samples_costs_nothing(tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, music(20_000).T, 22050)
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)
    assert count(path) == 20_000
    assert guess(path) is None


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF, 100])
def test_a_wav_file_with_another_size_of_data(tmp_path, size):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(5000).T, 22050, "PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert count(path) == (50 if size == 100 else 5000)
    # What the file is too small for is not believed: the header counts as PCM, too.
    assert guess(path) == pytest.approx(count(path), abs=44 / 2)


def test_damage_in_the_middle_is_silence_of_the_same_length(tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, music(200_000).T, 22050)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    samples, decoder = decode(path)
    assert decoder.damaged > 0
    assert samples.shape[1] == 200_000
    np.testing.assert_allclose(samples[:, -20_000:], music(200_000)[:, -20_000:], atol=2**-15)


def test_sound_in_a_video_is_read(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for start in range(0, 44_032, 1024):
            frame = av.AudioFrame.from_ndarray(
                music(1024, 1, 44100, seed=start), format="fltp", layout="mono"
            )
            frame.sample_rate = 44100
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert count(path) == pytest.approx(44_032, abs=2048)


@pytest.mark.parametrize("name", ["list.m3u8", "list.txt"])
def test_a_playlist_is_no_sound(tmp_path, name):
    other = tmp_path / "other.wav"
    soundfile.write(other, music(1000).T, 22050)
    path = tmp_path / name
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnreadableAudio, match="is not a sound file"):
        decode(path)


def test_tags_have_lower_case_names(tmp_path):
    path = tmp_path / "song.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        file.title = "A song"
        file.tracknumber = "3"
        file.write(np.zeros(100))
    with opened(path) as decoder:
        assert decoder.tags["title"] == "A song"
        assert decoder.tags["track"] == "3"
