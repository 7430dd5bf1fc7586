import dataclasses

import av
import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
from msdm_cli.audio.first_look import Part, look_at_header, look_through
from msdm_cli.digest import digest_file
from msdm_cli.errors import UnsuitableAudio

ALL = Part()


def write(path, samples, rate=22050, subtype=None):
    soundfile.write(path, samples.T, rate, subtype)
    return path


def measure(samples):
    return float(np.sqrt(np.square(samples.astype(np.float64)).mean()))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_one_look_finds_length_digest_and_level(tmp_path, suffix):
    path = write(tmp_path / f"song.{suffix}", music(60_000, 2))
    found = look_through(path, ALL, level=True)
    exact = soundfile.read(path, dtype="float32", always_2d=True)[0].T
    assert found.properties.frames == exact.shape[1]
    assert found.sha256 == digest_file(path)
    assert found.rms == pytest.approx(measure(exact), rel=1e-4)
    assert (found.first, found.warnings) == (0, [])
    assert look_through(path, ALL, level=False) == dataclasses.replace(found, rms=None)


def test_the_level_is_that_of_the_part(tmp_path):
    samples = music(40_000)
    samples[:, :20_000] *= 0.1
    path = write(tmp_path / "song.wav", samples, subtype="FLOAT")
    for part, inside in (
        (Part(0.5), slice(11_025, None)),
        (Part(0.0, 0.5), slice(0, 11_025)),
        (Part(0.25, 0.75), slice(round(0.25 * 22050), round(0.25 * 22050) + round(0.75 * 22050))),
    ):
        found = look_through(path, part, level=True)
        assert found.rms == pytest.approx(measure(samples[:, inside]), rel=1e-9)
        assert found.properties.frames == samples[:, inside].shape[1]


def test_what_is_no_number_counts_in_the_part_alone(tmp_path):
    samples = music(1000)
    samples[:, 100] = np.nan
    path = write(tmp_path / "song.wav", samples, 1000, "FLOAT")
    with pytest.raises(UnsuitableAudio, match="NaN"):
        look_through(path, ALL, level=True)
    assert look_through(path, Part(0.5), level=True).rms > 0


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_a_length_that_the_header_states_is_not_decoded(tmp_path, monkeypatch, suffix):
    path = write(tmp_path / f"song.{suffix}", music(60_000, 2))
    monkeypatch.setattr(FfmpegDecoder, "_frames", None)
    monkeypatch.setattr(FfmpegDecoder, "count_frames", None)
    found = look_at_header(path, Part(1.0))
    assert (found.properties.frames, found.first) == (60_000 - 22_050, 22_050)
    assert (found.sha256, found.rms) == (None, None)


def test_a_length_that_is_not_stated_is_counted(tmp_path):
    path = tmp_path / "song.aac"
    with av.open(str(path), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for start in range(0, 30 * 1024, 1024):
            frame = av.AudioFrame.from_ndarray(
                music(1024, 1, 44100, seed=start), format="fltp", layout="mono"
            )
            frame.sample_rate = 44100
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    true = look_through(path, ALL, level=False).properties.frames
    assert look_at_header(path, ALL).properties.frames == pytest.approx(true, rel=0.2)
