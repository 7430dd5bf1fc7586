import io
import os
import sys
from pathlib import Path

import fsspec
import pytest
from conftest import separate

from msdm_cli.audio.formats import FORMATS, SoundFormat, describe_readable
from msdm_cli.cli import songs
from msdm_cli.cli.songs import Song, expand_songs, spool_pipes
from msdm_cli.errors import InputError, NoSongs, UnreadableAudio, UnreadableList
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.stem_folder import open_stem_folder


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


def names(*words, results="stems"):
    return [song.path.as_posix() for song in expand_songs(words, Path(results))]


def test_a_file_is_a_song():
    assert expand_songs(["album/a.b.wav"], Path("stems")) == [
        Song("album/a.b.wav", Path("album/a.b.wav"), "a.b")
    ]


def test_a_folder_means_the_sounds_in_it(album):
    assert names("album") == ["album/a.FLAC", "album/b.wav", "album/disc 2/c.mp3"]


def test_what_can_be_read_is_a_row_of_the_table(album, monkeypatch, tmp_path):
    (tmp_path / "album" / "d.voc").touch()
    assert "album/d.voc" not in names("album")
    monkeypatch.setitem(FORMATS, "voc", SoundFormat("voc", ".voc"))
    assert "album/d.voc" in names("album")


def test_a_pattern_that_no_shell_expanded(album):
    assert names("*.ogg") == ["y.ogg"]
    assert names("album/**/*.mp3") == ["album/disc 2/c.mp3"]


def test_a_name_with_brackets_is_a_name(album):
    assert names("x[1].wav") == ["x[1].wav"]


def test_results_are_no_songs(album):
    assert names(".") == ["album/a.FLAC", "album/b.wav", "album/disc 2/c.mp3", "x[1].wav", "y.ogg"]


def test_results_beside_their_songs_are_no_songs(tiny_model, write_song, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song = write_song("album/a.wav", 0.3)
    for folder in ("album", "."):
        separate(tiny_model, song, Path(folder))
    assert names("album", results="album") == ["album/a.wav"]
    assert names("album", results=".") == ["album/a.wav"]
    assert names("**/*.wav", results=".") == ["album/a.wav"]
    monkeypatch.chdir("album")
    assert names("*.wav", "**/*.wav", ".", results=".") == ["a.wav"]
    (Path("a") / "bass.flac").touch()  # of an earlier --format
    assert names("*", results=".") == ["a.wav"]
    assert names("a.wav", "a", results=".") == ["a.wav"]  # a shell has expanded that
    with pytest.raises(NoSongs, match="a: no songs"):
        names("a", results=".")


def test_a_pattern_of_folders(album):
    assert names("alb*") == names("album")


def test_a_list_of_itself_is_refused(album, tmp_path):
    (tmp_path / "list.txt").write_text("y.ogg\n@list.txt\n")
    with pytest.raises(UnreadableList, match="lists itself"):
        names("@list.txt")


def test_lists_that_double_are_read_once_each(album, tmp_path):
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(2 * f"@{tmp_path / f'{number + 1}.txt'}\n")
    (tmp_path / "60.txt").write_text(f"{album}\n")
    found = expand_songs([f"@{tmp_path / '0.txt'}"], tmp_path / "out")
    assert found == expand_songs([str(album)], tmp_path / "out")


def test_a_long_chain_of_lists_is_refused(tmp_path):
    for number in range(2000):
        (tmp_path / f"{number}.txt").write_text(f"@{tmp_path / f'{number + 1}.txt'}\n")
    with pytest.raises(UnreadableList, match="more than 100 lists"):
        expand_songs([f"@{tmp_path / '0.txt'}"], tmp_path / "out")


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


def test_a_missing_file_is_left_to_the_reader(album):
    assert names("none.wav") == ["none.wav"]


@pytest.mark.parametrize("word", ["*.xyz", "empty", "@empty.txt"])
def test_what_holds_no_song_is_an_error(album, tmp_path, word):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    with pytest.raises(NoSongs, match="no songs") as caught:
        names(word)
    assert caught.value.remedy == f"{describe_readable()[:-1]}, or a folder of them."


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_list_that_cannot_be_read_is_an_error(album, tmp_path, content):
    if content:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UnreadableList, match=r"list\.txt: cannot be read"):
        names("@list.txt")


def test_a_list_may_have_comments_a_byte_order_mark_and_other_names(album, tmp_path):
    lines = ["#EXTM3U", "y.ogg", "", "  # a comment", "album/b.wav"]
    for mark in ("", "\ufeff"):
        for end in ("\n", "\r\n"):
            (tmp_path / "list.m3u").write_text(mark + end.join(lines), "utf-8", newline="")
            assert names("@list.m3u") == ["y.ogg", "album/b.wav"]
    (tmp_path / "list.m3u").write_bytes(b"\xef\xbb\xbfcaf\xe9.wav")
    assert names("@list.m3u") == [os.fsdecode(b"caf\xe9.wav")]


@pytest.mark.parametrize("content", [b"a\0b.wav", "y.ogg".encode("utf-16")])
def test_what_is_no_text_is_no_list(album, tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UnreadableList, match=r"list\.txt: cannot be read \(it is no text"):
        names("@list.txt")


def test_songs_at_addresses_are_listed_where_they_are(tmp_path):
    storage = fsspec.filesystem("memory")
    for name in ("b.wav", "a.flac", "text.txt", "stems/a/bass.wav", "stems/a/msdm.json"):
        storage.pipe_file(f"/album/{name}", b"")
    try:
        (tmp_path / "list.txt").write_text("memory://album/b.wav")
        songs = expand_songs([f"@{tmp_path}/list.txt", "memory://album"], tmp_path)
        assert [song.name for song in songs] == ["memory://album/b.wav", "memory://album/a.flac"]
        assert [song.track for song in songs] == ["b", "a"]
        storage.pipe_file("/album/flat/a drums.wav", b"")  # no msdm.json says what it is
        assert len(expand_songs(["memory://album"], Path("memory://album/flat"))) == 2
        assert len(expand_songs(["memory://album/flat"], Path("memory://album/flat"))) == 1
        with pytest.raises(NoSongs, match="memory://: has no folder"):
            expand_songs(["memory://"], tmp_path)
        with pytest.raises(NoSongs, match=r"memory://album/\*\.ogg: no songs"):
            expand_songs(["memory://album/*.ogg"], tmp_path)
    finally:
        storage.store.clear()


def test_an_address_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(InputError, match="elves://x/album: cannot be listed"):
        expand_songs(["elves://x/album"], tmp_path)


def test_an_empty_name_is_said(tmp_path):
    with pytest.raises(NoSongs, match="the name of a song is empty"):
        expand_songs([""], tmp_path)


def test_without_a_pipe_no_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(songs, "temporary_folder", lambda: pytest.fail("a folder was made"))
    song = Song("a.wav", tmp_path / "a.wav", "a")
    with spool_pipes([song]) as kept:
        assert kept == [song]


@pytest.mark.skipif(sys.platform == "win32", reason="a colon is no part of a name there")
@pytest.mark.parametrize("word", ["live:", ".", "live:/a.wav", "live:/*.wav", "@list.txt"])
def test_a_folder_that_looks_like_a_scheme_is_one_of_this_machine(tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live:").mkdir()
    (tmp_path / "live:" / "a.wav").write_bytes(b"")
    (tmp_path / "list.txt").write_text("live:/a.wav")
    (song,) = expand_songs([word], tmp_path / "stems")
    assert song == Song(str(tmp_path / "live:" / "a.wav"), tmp_path / "live:" / "a.wav", "a")


def test_results_of_earlier_runs_are_no_songs_wherever_they_lie(
    tiny_model, write_song, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    song = write_song("album/a.wav", 0.3)
    write_song("album/stems of mine/bass.wav", 0.3)
    separate(tiny_model, song, Path("album/old results"))
    expected = ["album/a.wav", "album/stems of mine/bass.wav"]
    for results in ("stems", "elsewhere/x", "album/new"):
        assert names("album", results=results) == expected
        assert names("album/**/*.wav", results=results) == expected
    with pytest.raises(NoSongs, match="no songs"):
        names("album/old results", results="stems")
    assert names("album/old results/a/bass.wav") == ["album/old results/a/bass.wav"]


def test_songs_with_names_of_mixes_are_songs(tiny_model, write_song, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song = write_song("album/mix.wav", 0.3)
    output = OutputOptions(name="{stem}.{ext}")
    separate(tiny_model, song, Path("album"), output=output)
    for name in ("without-you", "without-bass"):
        (Path("album") / f"{name}.wav").touch()
    assert names("album") == ["album/mix.wav", "album/without-you.wav"]
    assert list(open_stem_folder(Path("album")).mixes) == ["without-bass"]


def test_results_behind_a_link_are_no_songs(tiny_model, write_song, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    separate(tiny_model, write_song("album/a.wav", 0.3), Path("old"))
    Path("album/results").symlink_to("../old")
    assert names("album") == ["album/a.wav"]


@pytest.mark.parametrize("word", ["album", "album/**/*.wav"])
def test_folders_that_are_nested_too_deep_are_refused_in_two_lines(word, tmp_path, monkeypatch):
    (tmp_path / "album").mkdir()

    def search(*_, **options):  # what Python's own does at a depth of some hundred, up to 3.11
        raise RecursionError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.walk", search)
    monkeypatch.setattr(songs, "glob", search)
    with pytest.raises(NoSongs, match="lie in each other"):
        expand_songs([word], Path("stems"))


def test_a_closed_input_says_so(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with (
        pytest.raises(UnreadableAudio, match="the standard input is closed"),
        spool_pipes([Song("-", Path("-"), "stdin")]),
    ):
        pass


class Input:
    """A standard input with these bytes."""

    def __init__(self, content):
        self.buffer = io.BytesIO(content)


def test_a_pipe_is_kept_as_long_as_it_is_needed(monkeypatch):
    monkeypatch.setattr(songs, "STDIN_LINK", Path("/nonexistent"))
    monkeypatch.setattr(sys, "stdin", Input(b"sound"))
    (song,) = expand_songs(["-"], Path("stems"))
    assert song == Song("-", Path("-"), "stdin")
    with spool_pipes([song, Song("b", Path("b.wav"), "b")]) as (spooled, other):
        assert spooled.path.read_bytes() == b"sound"
        assert (spooled.name, spooled.track) == ("-", "stdin")
        assert other.path == Path("b.wav")
    assert not spooled.path.exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc/self/fd")
def test_a_file_as_standard_input_is_found(tmp_path, monkeypatch):
    path = tmp_path / "song.wav"
    path.write_bytes(b"sound")
    kept = os.dup(0)
    try:
        with path.open("rb") as file:
            os.dup2(file.fileno(), 0)
        assert expand_songs(["-"], Path("stems")) == [Song("-", path, "stdin")]
        os.lseek(0, 1, os.SEEK_SET)
        assert expand_songs(["-"], Path("stems"))[0].path == Path("-")
        os.lseek(0, 0, os.SEEK_SET)
        path.unlink()
        assert expand_songs(["-"], Path("stems"))[0].path == Path("-")
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "live.wav")
    song = Song("live", tmp_path / "live.wav", "live")
    opened = Path.open

    def fail(path, *arguments, **options):
        if path == song.path:
            raise OSError("broken")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(UnreadableAudio, match="live: cannot be read"), spool_pipes([song]):
        pass
