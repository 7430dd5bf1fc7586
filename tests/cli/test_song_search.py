import os
from pathlib import Path

import pytest

from msdm_cli.cli.song_search import search


@pytest.fixture
def album(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("album/a.wav", "album/cover.jpg", "other/b.wav", "other/more/c.flac"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return Path("album")


def names(path):
    return [found.as_posix() for found in search(path)]


def test_a_folder_means_the_sounds_in_it_and_a_file_itself(album):
    assert names(album) == ["album/a.wav"]
    assert names(Path("other")) == ["other/b.wav", "other/more/c.flac"]
    assert names(Path("album/cover.jpg")) == ["album/cover.jpg"]


def test_what_systems_hide_is_no_song(album):
    for name in (".Trash-1000/files/a.wav", ".AppleDouble/a.wav", "disc 1/._b.wav"):
        (album / name).parent.mkdir(parents=True)
        (album / name).touch()
    (album / ".link").symlink_to("../other")
    assert names(album) == ["album/a.wav"]
    assert names(album / ".Trash-1000") == ["album/.Trash-1000/files/a.wav"]


def test_a_link_that_leads_nowhere_is_a_song_that_cannot_be_read(album):
    (album / "c.wav").symlink_to("../missing/x.wav")
    (album / "d.txt").symlink_to("../missing/x.txt")
    (album / "e.wav").symlink_to("e.wav")
    assert names(album) == ["album/a.wav", "album/c.wav", "album/e.wav"]


def test_folders_are_searched_through_links(album):
    (album / "disc 2").symlink_to("../other")
    assert names(album) == ["album/a.wav", "album/disc 2/b.wav", "album/disc 2/more/c.flac"]


def test_links_to_what_was_searched_add_nothing(album):
    (album / "again").symlink_to(".")
    (album / "disc 1").symlink_to("../other")
    (album / "disc 2").symlink_to("../other/more")
    (Path("other") / "back").symlink_to("../album")
    found = search(album)
    assert len(found) == len({file.resolve() for file in found}) == 3
    (album / "up").symlink_to("..")
    assert len(search(album)) == 3


def test_a_folder_that_may_not_be_read_is_told_of_and_passed_over(album, monkeypatch, caplog):
    (album / "closed").mkdir()
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    # The system's administrator may read it, so permissions alone would not do.
    monkeypatch.setattr(os, "scandir", refuse)
    assert names(album) == ["album/a.wav"]
    assert caplog.messages == ["album/closed: may not be read, and is passed over"]
