from pathlib import Path

import pytest

from msdm_cli.cli.songs import expand_songs
from msdm_cli.errors import UnreadableAudio
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, separate_song


@pytest.fixture
def album(tmp_path, monkeypatch):
    for name in (
        "stems/song/bass.wav",
        "album/._b.wav",
        "album/b.wav",
        "album/a.FLAC",
        "album/disc 2/c.mp3",
        "album/cover.jpg",
        "x[1].wav",
        "y.ogg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def names(*arguments, results="stems"):
    return [path.as_posix() for path in expand_songs(arguments, Path(results))]


def test_a_folder_means_the_sounds_in_it(album):
    assert names("album") == ["album/a.FLAC", "album/b.wav", "album/disc 2/c.mp3"]


def test_a_pattern_that_no_shell_expanded(album):
    assert names("*.ogg") == ["y.ogg"]
    assert names("album/**/*.mp3") == ["album/disc 2/c.mp3"]


def test_a_name_with_brackets_is_a_name(album):
    assert names("x[1].wav") == ["x[1].wav"]


def test_results_are_no_songs(album):
    assert names(".") == ["album/a.FLAC", "album/b.wav", "album/disc 2/c.mp3", "x[1].wav", "y.ogg"]


def test_results_beside_their_songs_are_no_songs(tiny_model, write_song, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = SeparateOptions(tiny_model.spec.preset("separate", "fast"), 0)
    song = write_song("album/a.wav", 0.3)
    for folder in ("album", "."):
        separate_song(tiny_model, song, Path(folder), options, SilentProgress())
    assert names("album", results="album") == ["album/a.wav"]
    assert names("album", results=".") == ["album/a.wav"]
    assert names("**/*.wav", results=".") == ["album/a.wav"]
    monkeypatch.chdir("album")
    assert names("*.wav", "**/*.wav", ".", results=".") == ["a.wav"]
    (Path("a") / "bass.flac").touch()  # of an earlier --format
    assert names("*", results=".") == ["a.wav"]
    assert names("a.wav", "a", results=".") == ["a.wav"]  # a shell has expanded that
    with pytest.raises(UnreadableAudio, match="a: no songs"):
        names("a", results=".")


def test_a_pattern_of_folders(album):
    assert names("alb*") == names("album")


def test_a_list_of_itself_is_refused(album, tmp_path):
    (tmp_path / "list.txt").write_text("y.ogg\n@list.txt\n")
    with pytest.raises(UnreadableAudio, match="lists itself"):
        names("@list.txt")


def test_a_name_that_no_file_can_have_is_left_to_the_reader(album):
    assert names("x" * 5000) == ["x" * 5000]


def test_a_list_and_each_song_once(album, tmp_path):
    (tmp_path / "list.txt").write_text("y.ogg\n\nalbum\nalbum/b.wav\n")
    assert names("@list.txt", "y.ogg") == [
        "y.ogg",
        "album/a.FLAC",
        "album/b.wav",
        "album/disc 2/c.mp3",
    ]


def test_what_is_not_there_is_left_to_the_reader(album):
    assert names("none.wav") == ["none.wav"]


@pytest.mark.parametrize("argument", ["*.aiff", "empty", "@none.txt"])
def test_what_means_nothing_is_said(album, tmp_path, argument):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableAudio):
        names(argument)
