import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.file_sink import FileSink
from msdm_cli.audio.file_writer import SoundShape
from msdm_cli.audio.formats import SUBTYPES
from msdm_cli.errors import UnwritableAudio

SHAPE = SoundShape(8000, 1, 500, SUBTYPES["FLOAT"])


def test_all_files_appear_together(tmp_path):
    samples = music(500)
    paths = {"bass": tmp_path / "bass.wav", "drums": tmp_path / "drums.wav"}
    with FileSink(paths, SHAPE) as sink:
        sink.write({"bass": samples, "drums": -samples, "piano": samples})
        temporary = sink.finish()
        assert set(temporary) == {"bass", "drums"}
        assert not any(path.exists() for path in paths.values())
        sink.commit()
    np.testing.assert_array_equal(soundfile.read(paths["drums"], dtype="float32")[0], -samples[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bass.wav", "drums.wav"]


def test_an_error_leaves_nothing(tmp_path):
    paths = {"bass": tmp_path / "bass.wav", "drums": tmp_path / "drums.wav"}
    with pytest.raises(UnwritableAudio, match="of 500"), FileSink(paths, SHAPE) as sink:
        sink.write({"bass": music(500), "drums": music(400)})
        sink.finish()
    assert not list(tmp_path.iterdir())


def test_copies_are_the_same_bytes(tmp_path):
    given = tmp_path / "given.flac"
    soundfile.write(given, music(500)[0], 8000)
    paths = {"drums": tmp_path / "out" / "drums.flac", "piano": tmp_path / "out" / "piano.wav"}
    with FileSink(paths, SHAPE, {"drums": given}) as sink:
        sink.write({"piano": music(500)})
        sink.finish()
        sink.commit()
    assert paths["drums"].read_bytes() == given.read_bytes()


def test_a_copy_that_cannot_be_made_leaves_nothing(tmp_path):
    paths = {"drums": tmp_path / "out" / "drums.flac", "piano": tmp_path / "out" / "piano.wav"}
    with (
        pytest.raises(UnwritableAudio, match="cannot be written"),
        FileSink(paths, SHAPE, {"drums": tmp_path / "gone.flac"}) as sink,
    ):
        sink.write({"piano": music(500)})
        sink.finish()
    assert not list((tmp_path / "out").iterdir())


def test_clipped_samples_are_counted_over_all_files(tmp_path):
    shape = SoundShape(8000, 1, 2, SUBTYPES["PCM_16"])
    loud = np.array([[1.5, 0.0]], np.float32)
    paths = {"bass": tmp_path / "bass.wav", "drums": tmp_path / "drums.wav"}
    with FileSink(paths, shape) as sink:
        sink.write({"bass": loud, "drums": loud})
        assert sink.clipped == 2
