"""Songs that nobody expects: any rate, channels, level and name."""

import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.errors import UnreadableAudio
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, separate_song


def separate(model, song, folder, **options):
    preset = model.spec.preset("separate", "fast")
    return separate_song(
        model, song, folder, SeparateOptions(preset, 1, **options), SilentProgress()
    )


def check_sum(done, song):
    """The stems have the song's shape and sum to it, to the last bit of 16."""
    expected, rate = soundfile.read(song, dtype="int16", always_2d=True)
    stems = [soundfile.read(path, dtype="int16", always_2d=True) for path in done.files.values()]
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
    with pytest.raises(UnreadableAudio, match=f"claims 50 samples at {rate} Hz"):
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
    done = separate(tiny_model, path, tmp_path / "out")
    if not done.gain_db:
        check_sum(done, path)
    assert done.exact


def test_float_songs_far_beyond_full_scale(tiny_model, tmp_path):
    path, song = tmp_path / "song.wav", 30 * music(9000, 2).T
    soundfile.write(path, song, 22050, "FLOAT")
    done = separate(tiny_model, path, tmp_path / "out")
    stems = [soundfile.read(written)[0] for written in done.files.values()]
    np.testing.assert_allclose(sum(stems), song, atol=1e-5)
    assert done.gain == 1


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
    done = separate(tiny_model, path, tmp_path / "out")
    check_sum(done, path)
    assert {written.parent.name for written in done.files.values()} == {name}


def test_links_are_followed_in_and_replaced_out(tiny_model, write_song, tmp_path):
    song, link, elsewhere = write_song(seconds=0.3), tmp_path / "link.wav", tmp_path / "elsewhere"
    link.symlink_to(song)
    elsewhere.mkdir()
    (tmp_path / "out").symlink_to(elsewhere)
    done = separate(tiny_model, link, tmp_path / "out")
    check_sum(done, song)
    assert (elsewhere / "link" / "bass.wav").is_file()
    assert link.is_symlink()
    assert link.readlink() == song


@pytest.mark.parametrize("source", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("target", ["wav", "flac", "ogg"])
def test_stems_have_the_tags_of_the_song(tiny_model, tmp_path, source, target):
    path, told = (
        tmp_path / f"song.{source}",
        {"title": "夜 ☾", "artist": "Ensemble", "date": "1999"},
    )
    with soundfile.SoundFile(path, "w", 44100, 2, format=source) as file:
        for tag, text in told.items():
            setattr(file, tag, text)
        file.write(music(9000, 2, 44100).T)
    with soundfile.SoundFile(path) as file:
        told = {tag: text for tag in told if (text := getattr(file, tag))}  # what the format kept
    assert "title" in told
    once, again = (
        separate(tiny_model, path, tmp_path / name, output=OutputOptions(target))
        for name in ("one", "two")
    )
    for stem, written in once.files.items():
        with soundfile.SoundFile(written) as file:
            assert {tag: getattr(file, tag) for tag in told} == told | {"title": f"夜 ☾ ({stem})"}
        assert written.read_bytes() == again.files[stem].read_bytes()


def test_a_song_without_tags_gives_stems_without(tiny_model, tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(9000, 1).T, 22050)
    done = separate(tiny_model, path, tmp_path / "out", output=OutputOptions("flac"))
    with soundfile.SoundFile(done.files["drums"]) as file:
        assert not file.title
        assert not file.artist
