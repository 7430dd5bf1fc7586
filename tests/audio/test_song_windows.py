import numpy as np
import pytest

from msdm_cli.audio import song_windows
from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.song_windows import SongWindows


@pytest.mark.parametrize("rate", [22050, 44100])
def test_windows_are_those_of_the_whole(write_song, rate, monkeypatch):
    path = write_song(seconds=3, rate=rate)
    with FileSource(path).open() as reader:
        song = SongWindows(reader, 22050)
        whole = song.read(0, song.total)
    assert song.total == 3 * 22050
    monkeypatch.setattr(song_windows, "READ_FRAMES", 5000)
    with FileSource(path).open() as reader:
        song = SongWindows(reader, 22050)
        for start, stop in [(0, 1000), (0, 40_000), (30_000, 50_000), (50_000, 66_150)]:
            np.testing.assert_array_equal(song.read(start, stop), whole[:, start:stop])


def test_after_the_end_there_is_silence(write_song):
    with FileSource(write_song(seconds=1, rate=22050)).open() as reader:
        window = SongWindows(reader, 22050).read(22_000, 30_000)
    assert window.shape == (2, 8000)
    assert np.abs(window[:, :50]).max() > 0
    assert not window[:, 50:].any()


def test_what_lies_before_a_window_is_not_held(write_song, monkeypatch):
    monkeypatch.setattr(song_windows, "READ_FRAMES", 5000)
    held = []
    with FileSource(write_song(seconds=3, rate=22050)).open() as reader:
        song = SongWindows(reader, 22050)
        drop = song._drop
        song._drop = lambda start: (held.append(song._held.shape[1]), drop(start))
        assert song.read(60_000, 60_100).shape == (2, 100)
    assert max(held) <= 2 * 5000
