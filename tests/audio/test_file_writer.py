import dataclasses
from unittest.mock import Mock

import av
import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.file_writer import SoundFileWriter, SoundShape
from msdm_cli.audio.formats import SUBTYPES
from msdm_cli.errors import UnwritableAudio


def shape(subtype, frames, channels=1, tags=None):
    return SoundShape(22050, channels, frames, SUBTYPES[subtype], tags or {})


def test_a_file_appears_only_when_it_is_committed(tmp_path):
    path = tmp_path / "new" / "stem.wav"
    samples = music(1000, 2)
    with SoundFileWriter(path, shape("FLOAT", 1000, channels=2)) as writer:
        writer.write(samples)
        assert not path.exists()
        writer.finish()
        writer.commit()
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0].T, samples)
    assert [found.name for found in path.parent.iterdir()] == ["stem.wav"]


@pytest.mark.parametrize(("suffix", "subtype"), [("flac", "PCM_24"), ("ogg", "VORBIS")])
def test_compressed_files_can_be_long(tmp_path, suffix, subtype):
    path = tmp_path / f"stem.{suffix}"
    frames = 3_000_000
    with SoundFileWriter(path, shape(subtype, frames)) as writer:
        writer.write(np.zeros((1, frames), np.float32))
        writer.finish()
        writer.commit()
    assert soundfile.info(path).frames == frames


def test_an_unfinished_file_leaves_nothing(tmp_path):
    with (
        pytest.raises(RuntimeError, match="stop"),
        SoundFileWriter(tmp_path / "a.wav", shape("FLOAT", 1000)) as writer,
    ):
        writer.write(music(500))
        raise RuntimeError("stop")
    assert not list(tmp_path.iterdir())


def test_a_short_file_is_not_committed(tmp_path):
    with (
        pytest.raises(UnwritableAudio, match="500 of 1000"),
        SoundFileWriter(tmp_path / "a.wav", shape("FLOAT", 1000)) as w,
    ):
        w.write(music(500))
        w.finish()
    assert not list(tmp_path.iterdir())


def test_beyond_full_scale_is_clipped_and_counted(tmp_path):
    path = tmp_path / "a.wav"
    with SoundFileWriter(path, shape("PCM_16", 3)) as writer:
        writer.write(np.array([[0.5, 1.5, -2.0]], np.float32))
        writer.finish()
        writer.commit()
    assert writer.clipped == 2
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], [16384, 32767, -32768])


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableAudio, match="cannot be written"):
        SoundFileWriter(tmp_path / "file" / "a.wav", shape("PCM_16", 3))


def test_a_format_that_lacks_the_subtype_is_an_error(tmp_path):
    with pytest.raises(UnwritableAudio, match="Invalid combination"):
        SoundFileWriter(tmp_path / "a.flac", shape("FLOAT", 3))
    assert not list(tmp_path.iterdir())


def test_integers_are_written_as_they_are(tmp_path):
    path = tmp_path / "a.wav"
    values = np.array([[1, -2, 32767]], np.int32)
    with SoundFileWriter(path, shape("PCM_16", 3)) as writer:
        writer.write(values << 16)
        writer.finish()
        writer.commit()
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], values[0])


def test_the_stem_is_in_the_title_if_there_is_one():
    tagged = shape("PCM_16", 3, tags={"title": "Song", "artist": "A"})
    assert tagged.tag("bass").tags == {"title": "Song (bass)", "artist": "A"}
    untitled = shape("PCM_16", 3, tags={"artist": "A"})
    assert untitled.tag("bass") == untitled


def test_a_long_tag_is_left_out(tmp_path):
    path = tmp_path / "a.wav"
    tags = {"title": "Song", "comment": "x" * 60_000}
    with SoundFileWriter(path, shape("PCM_16", 3, tags=tags)) as writer:
        writer.write(np.zeros((1, 3), np.float32))
        writer.finish()
        writer.commit()
    assert soundfile.SoundFile(path).copy_metadata() == {"title": "Song"}


@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "PCM_16"), ("ogg", "VORBIS")])
def test_channels_stay_where_they_are(tmp_path, suffix, subtype):
    names = ("FL", "FR", "FC", "LFE", "BL", "BR")
    tones = np.array((200, 300, 400, 50, 500, 600))
    samples = 0.3 * np.sin(2 * np.pi * tones[:, None] * np.arange(22050) / 22050)
    path = tmp_path / f"a.{suffix}"
    described = dataclasses.replace(shape(subtype, 22050, channels=6), channel_names=names)
    with SoundFileWriter(path, described) as writer:
        writer.write(samples.astype(np.float32))
        writer.finish()
        writer.commit()
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.layout.name in ("5.1", "5.1(side)")
        decoded = [frame.to_ndarray() for frame in container.decode(stream)]
    found = np.concatenate([x if len(x) == 6 else x.reshape(-1, 6).T for x in decoded], 1)
    peaks = np.abs(np.fft.rfft(found, 22050)).argmax(1)
    np.testing.assert_array_equal(peaks, tones)


def test_an_old_libsndfile_says_what_brings_a_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": ""})
    monkeypatch.setattr(soundfile, "SoundFile", Mock(side_effect=ValueError("no such format")))
    with pytest.raises(UnwritableAudio, match="writes no mp3") as caught:
        SoundFileWriter(tmp_path / "a.mp3", shape("MPEG_LAYER_III", 100))
    assert caught.value.remedy.startswith("pip install --upgrade soundfile")
    assert list(tmp_path.iterdir()) == []
