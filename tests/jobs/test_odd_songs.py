"""Songs that nobody expects: any rate, channels, level and name."""

import os
import sys

import numpy as np
import pytest
import soundfile
from conftest import music, read_sound, separate, sum_sounds

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import UnreadableAudio, UnwritableResults
from msdm_cli.jobs.check import check_results
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.output import OutputOptions


def check_sum(result, song):
    """The stems have the song's shape and sum to it, to the last bit of 16."""
    expected, rate = soundfile.read(song, dtype="int16", always_2d=True)
    stems = [soundfile.read(path, dtype="int16", always_2d=True) for path in result.files.values()]
    assert {rate for _, rate in stems} == {rate}
    np.testing.assert_array_equal(sum(stem.astype(int) for stem, _ in stems), expected)


@pytest.mark.parametrize("rate", [1000, 11025, 22050, 44101, 88200, 192_000, 384_000])
def test_any_rate(tiny_model, tmp_path, rate):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(rate // 2, 1, rate).T, rate, "PCM_16")
    check_sum(separate(tiny_model, path, tmp_path / "out"), path)


@pytest.mark.parametrize("rate", [1, 99, 2_000_000])
def test_rates_that_no_music_has_are_refused(tiny_model, tmp_path, rate):
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros(50), rate, "PCM_16")
    with pytest.raises(UnreadableAudio, match=f"{rate} Hz"):
        separate(tiny_model, path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("channels", range(1, 9))
def test_any_number_of_channels(tiny_model, tmp_path, channels):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(9000, channels).T, 22050, "PCM_16")
    check_sum(separate(tiny_model, path, tmp_path / "out"), path)


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(9000),
        np.full(9000, 0.5),
        np.full(9000, -1.0),
        np.eye(1, 9000, 4500)[0],
        np.tile([0.9, -0.9], 4500),
    ],
    ids=["silence", "constant", "full scale", "click", "Nyquist"],
)
def test_signals_that_are_no_music(tiny_model, tmp_path, signal):
    path = tmp_path / "song.wav"
    soundfile.write(path, signal, 22050, "PCM_16")
    result = separate(tiny_model, path, tmp_path / "out")
    expected = np.rint(result.gain * read_sound(path) * 32768)
    np.testing.assert_array_equal(sum_sounds(result) * 32768, expected)
    assert result.exact


def test_float_songs_far_beyond_full_scale(tiny_model, tmp_path):
    path = tmp_path / "song.wav"
    song = 30 * music(9000, 2)
    soundfile.write(path, song.T, 22050, "FLOAT")
    result = separate(tiny_model, path, tmp_path / "out")
    assert max(np.abs(read_sound(written)).max() for written in result.files.values()) < 32
    # Four stems below 32 are rounded to single precision, by half a unit of the last place.
    np.testing.assert_allclose(sum_sounds(result), song, atol=4 * 2.0**-20)
    assert result.gain == 1


@pytest.mark.parametrize(
    "name",
    [
        "песня",
        "歌 曲",
        "غنية",
        "e\u0301tude",
        "🎸",
        "a'b\"c",
        "-o",
        "100%",
        "a{track}b",
        "x" * 200,
        " lead",
        "two\nlines",
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_names_in_any_script(tiny_model, tmp_path, name):
    path = tmp_path / f"{name}.wav"
    soundfile.write(path, music(3000).T, 22050, "PCM_16")
    result = separate(tiny_model, path, tmp_path / "out")
    check_sum(result, path)
    assert {written.parent.name for written in result.files.values()} == {name}


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_names_that_are_no_text(tiny_model, tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(3000).T, 22050, "PCM_16")
    path = path.rename(tmp_path / os.fsdecode(b"caf\xe9.wav"))
    result = separate(tiny_model, path, tmp_path / "out")
    np.testing.assert_array_equal(
        sum(read_bytes_named(written) for written in result.files.values()),
        read_bytes_named(path),
    )
    assert {written.parent.name for written in result.files.values()} == {path.stem}
    assert load_manifest(result.manifest).parse_request().inputs == {"song": path}
    assert check_results(result.manifest, None).exact
    assert separate(tiny_model, path, tmp_path / "out").skipped


def read_bytes_named(path):
    with path.open("rb") as file:
        return soundfile.read(file, dtype="float64")[0]


def test_links_are_followed_in_and_replaced_out(tiny_model, write_song, tmp_path):
    song, link, elsewhere = write_song(seconds=0.3), tmp_path / "link.wav", tmp_path / "elsewhere"
    link.symlink_to(song)
    elsewhere.mkdir()
    (tmp_path / "out").symlink_to(elsewhere)
    result = separate(tiny_model, link, tmp_path / "out")
    check_sum(result, song)
    assert (elsewhere / "link" / "bass.wav").is_file()
    assert link.is_symlink()
    assert link.readlink() == song


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["{track}/{stem}.{ext}", "a/{stem}/{track}.{ext}"])
def test_no_file_of_another_folder_is_touched(tiny_model, write_song, tmp_path, name, overwrite):
    song = write_song(seconds=0.3)
    output = OutputOptions(name=name)
    made = separate(tiny_model, song, tmp_path / "made", output=output)
    elsewhere = made.files["bass"].parent.resolve()
    before = {path: path.read_bytes() for path in elsewhere.iterdir() if path.is_file()}
    link = tmp_path / "out" / elsewhere.relative_to((tmp_path / "made").resolve())
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    with pytest.raises(UnwritableResults, match="is a link"):
        separate(tiny_model, song, tmp_path / "out", output=output, overwrite=overwrite)
    assert {path: path.read_bytes() for path in before} == before
    assert len([*elsewhere.iterdir()]) == len(before)


@pytest.mark.parametrize("source", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("target", ["wav", "flac", "ogg"])
def test_stems_have_the_tags_of_the_song(tiny_model, tmp_path, source, target):
    path = tmp_path / f"song.{source}"
    with soundfile.SoundFile(path, "w", 44100, 2, format=source) as file:
        file.title = "夜 ☾"
        file.artist = "Ensemble"
        file.date = "1999"
        file.write(music(9000, 2, 44100).T)
    tags = FileSource(path).tags  # what the format has kept
    assert tags["title"] == "夜 ☾"
    output = OutputOptions(target)
    once, again = (
        separate(tiny_model, path, tmp_path / name, output=output) for name in ("one", "two")
    )
    for stem, written in once.files.items():
        with soundfile.SoundFile(written) as file:
            found = {tag: getattr(file, tag) for tag in tags}
        assert found == tags | {"title": f"夜 ☾ ({stem})"}
        assert written.read_bytes() == again.files[stem].read_bytes()


def test_a_song_without_tags_gives_stems_without(tiny_model, tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(9000, 1).T, 22050)
    result = separate(tiny_model, path, tmp_path / "out", output=OutputOptions("flac"))
    with soundfile.SoundFile(result.files["drums"]) as file:
        assert not file.title
        assert not file.artist
