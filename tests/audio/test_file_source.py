import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio import file_source as module
from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.source import read_all
from msdm_cli.errors import NoLength, UnreadableAudio, UnsuitableAudio


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("wav", "PCM_24"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", None)]
)
def test_it_reads_every_format_in_blocks(tmp_path, suffix, subtype):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, music(30_000, 2, 44100).T, 44100, subtype)
    source = FileSource(path)
    blocks = list(read_all(source, 7000))
    properties = source.properties
    whole = np.concatenate(blocks, 1)
    assert (properties.sample_rate, properties.channels) == (44100, 2)
    assert whole.shape == (2, properties.frames)
    exact = soundfile.read(path, dtype="float32")[0].T
    # MP3 decoders may round: ISO 11172-4 calls one accurate within 2^-14 of full scale.
    np.testing.assert_allclose(whole, exact, rtol=0, atol=2**-14 if suffix == "mp3" else 0)


def test_a_part_is_a_part(write_song):
    path = write_song(seconds=2, rate=8000)
    with FileSource(path, 0.5, 1.0).open() as reader:
        part = reader.read(1 << 20)
    np.testing.assert_array_equal(part, soundfile.read(path, dtype="float32")[0].T[:, 4000:12_000])


def test_a_duration_past_the_end_stops_at_the_end(write_song):
    assert FileSource(write_song(seconds=1, rate=8000), 0.75, 9.0).properties.frames == 2000


def text_file(path):
    path.write_text("not a sound\n" * 100)


def empty_file(path):
    path.touch()


def folder(path):
    path.mkdir()


def nothing(path):
    assert not path.exists()


def wav_of_an_absurd_rate(path):
    soundfile.write(path, music(1000).T, 22050, "PCM_16")
    content = bytearray(path.read_bytes())
    content[24:28] = (2_000_000_011).to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    "make",
    [
        wav_of_an_absurd_rate,
        text_file,
        empty_file,
        folder,
        nothing,
    ],
)
def test_what_cannot_be_read_is_an_error_with_a_hint(tmp_path, make):
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(UnreadableAudio) as caught:
        list(read_all(FileSource(path), 65_536))
    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_a_name_that_no_file_can_have_is_an_error(tmp_path):
    with pytest.raises(UnreadableAudio, match="too long"):
        FileSource(tmp_path / ("a" * 300 + ".wav"))


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path, suffix):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, music(400_000).T, 22050)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = FileSource(path)
    frames = source.properties.frames
    assert 100_000 < frames < 300_000
    seconds = f"{frames / 22050:.1f}"
    assert source.warnings == [
        f"{path}: holds {seconds} s of the 18.1 s that its header states; the rest is missing"
    ]
    whole = np.concatenate(list(read_all(source, 65_536)), 1)
    np.testing.assert_allclose(whole, music(400_000)[:, :frames], atol=2**-15)
    with pytest.raises(UnsuitableAudio, match="no samples after 17 s"):
        FileSource(path, start_seconds=17).look(level=False)


def test_a_whole_file_has_no_warnings(write_song):
    assert FileSource(write_song(seconds=1)).warnings == []


def test_a_name_that_is_not_unicode_is_a_name(tmp_path, write_song):
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    write_song().rename(path)
    assert FileSource(path).properties.frames == 88_200


def test_no_samples_are_an_error(tmp_path):
    path = tmp_path / "none.wav"
    soundfile.write(path, np.zeros((0, 2)), 44100)
    with pytest.raises(UnsuitableAudio, match="no samples"):
        FileSource(path).look(level=False)


def test_a_part_of_no_length_is_an_error(write_song):
    with pytest.raises(NoLength, match="0 s is no length"):
        FileSource(write_song(seconds=1), 0.5, 0.0).look(level=False)


def test_a_start_past_the_end_is_an_error(write_song):
    with pytest.raises(UnsuitableAudio, match="no samples after 9 s"):
        FileSource(write_song(seconds=1), 9.0).look(level=False)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_an_error(tmp_path, value):
    samples = music(1000)[0]
    samples[700] = value
    path = tmp_path / "nan.wav"
    soundfile.write(path, samples, 22050, "FLOAT")
    with FileSource(path).open() as reader, pytest.raises(UnsuitableAudio, match="NaN"):
        reader.read(1000)


def test_a_file_that_changes_is_noticed(write_song):
    path = write_song(seconds=1)
    source = FileSource(path)
    source.check_unchanged()
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(UnsuitableAudio, match="has changed while it was read"):
        source.check_unchanged()


def test_a_file_that_is_replaced_by_one_of_its_size_is_noticed(write_song, tmp_path):
    path = write_song(seconds=1)
    source = FileSource(path)
    other = write_song("other.wav", seconds=1, seed=1)
    other.replace(path)
    with pytest.raises(UnsuitableAudio, match="has changed"):
        source.check_unchanged()


def test_tags_are_those_of_the_file(tmp_path):
    path = tmp_path / "song.flac"
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        file.title = "A song"
        file.artist = "Somebody"
        file.write(np.zeros(100))
    assert FileSource(path).tags == {"title": "A song", "artist": "Somebody"}


def test_the_digest_is_that_of_the_whole_file(write_song):
    path = write_song(seconds=1)
    whole = hashlib.sha256(path.read_bytes()).hexdigest()
    assert FileSource(path, 0.5).digest() == whole


def count_opens(monkeypatch):
    opened = []
    open_path = Path.open

    def count(path, *arguments, **options):
        opened.append(path.name)
        return open_path(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", count)
    return opened


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_all_that_a_look_finds_takes_one_pass(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, music(30_000).T, 22050)
    opened = count_opens(monkeypatch)
    source = FileSource(path)
    assert opened == []
    source.look(level=True)
    assert (source.properties.frames, source.warnings, source.tags) == (30_000, [], {})
    assert source.rms > 0
    assert source.digest()
    source.look(level=False)
    assert len(opened) == 1
    list(read_all(source, 10_000))
    assert len(opened) == 2


def test_a_digest_alone_decodes_nothing(write_song, monkeypatch):
    path = write_song(seconds=1)
    monkeypatch.setattr(module, "look_through", None)
    assert FileSource(path).digest() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_look_is_repeated_for_a_level_alone(write_song, monkeypatch):
    source = FileSource(write_song(seconds=1))
    opened = count_opens(monkeypatch)
    source.look(level=False)
    source.look(level=False)
    assert len(opened) == 1
    assert source.rms > 0
    assert len(opened) == 2


def test_what_a_header_states_is_believed_until_there_is_a_look(write_song):
    path = write_song(seconds=1, rate=8000)
    source = FileSource(path)
    source.believe_header()
    path.write_bytes(path.read_bytes()[:-8000])
    assert source.properties.frames == 8000
    assert source.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
    source.look(level=False)
    assert source.properties.frames == 6000


@pytest.mark.parametrize(("asked", "given"), [(10, 10), (7999, 7999), (9000, 8000), (0, 0)])
def test_the_beginning_of_a_file_is_read_as_far_as_it_goes(write_song, asked, given):
    path = write_song(seconds=1, rate=8000)
    beginning = FileSource(path, 0.5).read_beginning(asked)
    exact = soundfile.read(path, dtype="float32")[0].T
    np.testing.assert_array_equal(beginning, exact[:, :given])
