"""Folders of songs."""

import shutil

import numpy as np
import pytest
import soundfile
from conftest import STEMS

from msdm_cli.errors import NoSongs
from scripts.songs import EMBEDDED, list_songs, load_middle


def test_songs_that_lack_a_stem_or_are_half_rendered_are_left_out(songs, tmp_path):
    folder = tmp_path / "songs"
    shutil.copytree(songs / "train", folder, ignore=shutil.ignore_patterns(".cache"))
    shutil.copytree(folder / "Track00000", folder / "Track00007.part")
    (folder / "Track00001" / "bass.flac").unlink()
    assert [song.name for song in list_songs(folder)] == ["Track00000", "Track00002"]
    for song in ("Track00000", "Track00002"):
        (folder / song / "piano.flac").unlink()
    with pytest.raises(NoSongs, match="no song has all of bass, drums, guitar, piano"):
        list_songs(folder)


def test_the_middle_of_a_song_is_its_middle(songs):
    song = songs / "train" / "Track00000"
    whole = np.stack([soundfile.read(song / f"{stem}.flac", dtype="float32")[0] for stem in STEMS])
    middle = load_middle(song, 2.0)
    np.testing.assert_array_equal(middle, whole[:, 2 * 22050 : 4 * 22050])
    np.testing.assert_array_equal(load_middle(song, 100.0), EMBEDDED.load_stems(song))
