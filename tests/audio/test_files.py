import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.files import SongReader, StemWriter, output_subtype
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio, UnwritableAudio


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("wav", "PCM_24"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", None)]
)
def test_it_reads_every_format_in_blocks(tmp_path, suffix, subtype):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, music(30_000, 2, 44100).T, 44100, subtype)
    with SongReader(path) as reader:
        blocks = list(reader.blocks(7000))
        properties = reader.properties
    whole = np.concatenate(blocks, 1)
    assert (properties.sample_rate, properties.channels) == (44100, 2)
    assert whole.shape == (2, properties.frames)
    np.testing.assert_array_equal(whole, soundfile.read(path, dtype="float32")[0].T)


def test_a_part_is_a_part(write_song):
    path = write_song(seconds=2, rate=8000)
    with SongReader(path, 0.5, 1.0) as reader:
        part = reader.read(1 << 20)
    np.testing.assert_array_equal(part, soundfile.read(path, dtype="float32")[0].T[:, 4000:12_000])


def test_a_duration_past_the_end_stops_at_the_end(write_song):
    with SongReader(write_song(seconds=1, rate=8000), 0.75, 9.0) as reader:
        assert reader.properties.frames == 2000


def text_file(path):
    path.write_text("not a sound\n" * 100)


def empty_file(path):
    path.touch()


def folder(path):
    path.mkdir()


def nothing(path):
    assert not path.exists()


def truncated_flac(path):
    whole = path.with_suffix(".flac")
    soundfile.write(whole, music(200_000).T, 22050, format="FLAC")
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])


def flac_of_unknown_length(path):
    whole = path.with_suffix(".flac")
    soundfile.write(whole, music(20_000).T, 22050, format="FLAC")
    content = bytearray(whole.read_bytes())
    # STREAMINFO: the total number of samples is the low 36 bits of bytes 18 to 25; all ones is beyond reason.
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)


def wav_of_an_absurd_rate(path):
    soundfile.write(path, music(1000).T, 22050, "PCM_16")
    content = bytearray(path.read_bytes())
    content[24:28] = (2_000_000_011).to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    "make",
    [
        flac_of_unknown_length,
        wav_of_an_absurd_rate,
        text_file,
        empty_file,
        folder,
        nothing,
        truncated_flac,
    ],
)
def test_what_cannot_be_read_is_an_error_with_a_hint(tmp_path, make):
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(UnreadableAudio) as caught, SongReader(path) as reader:
        list(reader.blocks(65_536))
    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_a_name_that_no_file_can_have_is_an_error(tmp_path):
    with pytest.raises(UnreadableAudio, match="too long"):
        SongReader(tmp_path / ("a" * 300 + ".wav"))


def test_a_start_in_the_lost_half_of_a_file_is_an_error(tmp_path):
    path = tmp_path / "song.flac"
    soundfile.write(path, music(400_000).T, 22050)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableAudio), SongReader(path, start_seconds=17) as reader:
        reader.read(1000)


def test_no_samples_are_an_error(tmp_path):
    path = tmp_path / "none.wav"
    soundfile.write(path, np.zeros((0, 2)), 44100)
    with pytest.raises(UnsuitableAudio, match="no samples"):
        SongReader(path)


def test_a_start_past_the_end_is_an_error(write_song):
    with pytest.raises(UnsuitableAudio, match="no samples after 9 s"):
        SongReader(write_song(seconds=1), 9.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_an_error(tmp_path, value):
    samples = music(1000)[0]
    samples[700] = value
    path = tmp_path / "nan.wav"
    soundfile.write(path, samples, 22050, "FLOAT")
    with SongReader(path) as reader, pytest.raises(UnsuitableAudio, match="NaN"):
        reader.read(1000)


@pytest.mark.parametrize(
    ("file_format", "asked", "source", "expected"),
    [
        ("wav", None, "PCM_24", "PCM_24"),
        ("wav", None, "FLOAT", "FLOAT"),
        ("wav", None, "VORBIS", "PCM_16"),
        ("wav", None, "PCM_U8", "PCM_16"),
        ("flac", None, "FLOAT", "PCM_24"),
        ("flac", None, "PCM_32", "PCM_24"),
        ("flac", None, "PCM_U8", "PCM_16"),
        ("flac", "PCM_24", "PCM_16", "PCM_24"),
        ("ogg", None, "PCM_16", "VORBIS"),
    ],
)
def test_bit_depth_follows_the_input(file_format, asked, source, expected):
    assert output_subtype(file_format, asked, source) == expected


def test_a_subtype_that_the_format_lacks_is_refused():
    with pytest.raises(UnwritableAudio, match="flac has no subtype FLOAT") as caught:
        output_subtype("flac", "FLOAT", "PCM_16")
    assert "PCM_24" in caught.value.remedy


def test_a_file_appears_only_when_it_is_committed(tmp_path):
    path, samples = tmp_path / "new" / "stem.wav", music(1000, 2)
    with StemWriter(path, 22050, 2, "FLOAT", 1000) as writer:
        writer.write(samples)
        assert not path.exists()
        writer.finish()
        writer.commit()
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0].T, samples)
    assert [found.name for found in path.parent.iterdir()] == ["stem.wav"]


@pytest.mark.parametrize(("suffix", "subtype"), [("flac", "PCM_24"), ("ogg", "VORBIS")])
def test_compressed_files_can_be_long(tmp_path, suffix, subtype):
    path, frames = tmp_path / f"stem.{suffix}", 3_000_000
    with StemWriter(path, 44100, 1, subtype, frames) as writer:
        writer.write(np.zeros((1, frames), np.float32))
        writer.finish()
        writer.commit()
    assert soundfile.info(path).frames == frames


def test_an_unfinished_file_leaves_nothing(tmp_path):
    with (
        pytest.raises(RuntimeError, match="stop"),
        StemWriter(tmp_path / "a.wav", 22050, 1, "FLOAT", 1000) as writer,
    ):
        writer.write(music(500))
        raise RuntimeError("stop")
    assert not list(tmp_path.iterdir())


def test_a_short_file_is_not_committed(tmp_path):
    with (
        pytest.raises(UnwritableAudio, match="500 of 1000"),
        StemWriter(tmp_path / "a.wav", 1, 1, "FLOAT", 1000) as w,
    ):
        w.write(music(500))
        w.finish()
    assert not list(tmp_path.iterdir())


def test_beyond_full_scale_is_clipped_and_counted(tmp_path):
    path = tmp_path / "a.wav"
    with StemWriter(path, 22050, 1, "PCM_16", 3) as writer:
        writer.write(np.array([[0.5, 1.5, -2.0]], np.float32))
        writer.finish()
        writer.commit()
    assert writer.clipped == 2
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], [16384, 32767, -32768])


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableAudio, match="cannot be written"):
        StemWriter(tmp_path / "file" / "a.wav", 22050, 1, "PCM_16", 3)
