import pytest

from msdm_cli.errors import UnreadableAudio
from msdm_cli.pipelines.inputs import expand_songs


@pytest.fixture
def album(tmp_path, monkeypatch):
    for name in ("album/b.wav", "album/a.FLAC", "album/disc 2/c.mp3", "album/cover.jpg", "x[1].wav", "y.ogg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def names(*arguments):
    return [path.as_posix() for path in expand_songs(arguments)]


def test_a_folder_means_the_sounds_in_it(album):
    assert names("album") == ["album/a.FLAC", "album/b.wav", "album/disc 2/c.mp3"]


def test_a_pattern_that_no_shell_expanded(album):
    assert names("*.ogg") == ["y.ogg"]
    assert names("album/**/*.mp3") == ["album/disc 2/c.mp3"]


def test_a_name_with_brackets_is_a_name(album):
    assert names("x[1].wav") == ["x[1].wav"]


def test_a_list_and_each_song_once(album, tmp_path):
    (tmp_path / "list.txt").write_text("y.ogg\n\nalbum\nalbum/b.wav\n")
    assert names("@list.txt", "y.ogg") == ["y.ogg", "album/a.FLAC", "album/b.wav", "album/disc 2/c.mp3"]


def test_what_is_not_there_is_left_to_the_reader(album):
    assert names("none.wav") == ["none.wav"]


@pytest.mark.parametrize("argument", ["*.aiff", "empty", "@none.txt"])
def test_what_means_nothing_is_said(album, tmp_path, argument):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableAudio):
        expand_songs([argument])
