import errno
from tempfile import SpooledTemporaryFile

import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio import kept_source
from msdm_cli.audio.file_source import FileReader, FileSource
from msdm_cli.audio.kept_source import KeptSource, count_kept_bytes, keeping
from msdm_cli.audio.source import ArraySource
from msdm_cli.errors import UnwritableAudio


@pytest.fixture(params=[1 << 24, 1000])
def source(request, tmp_path, monkeypatch):
    """A file of 5000 samples in two channels that is kept in memory, or on the disk."""
    monkeypatch.setattr(kept_source, "MOST_MEMORY_BYTES", request.param)
    soundfile.write(tmp_path / "song.wav", music(5000, 2).T, 22050, "FLOAT")
    return FileSource(tmp_path / "song.wav")


def test_a_kept_sound_is_read_once_by_readers_that_take_turns(source, tmp_path, monkeypatch):
    opened = []
    init = FileReader.__init__
    monkeypatch.setattr(
        FileReader, "__init__", lambda *arguments: opened.append(1) or init(*arguments)
    )
    with keeping({"song": source}, tmp_path) as kept, kept["song"].open() as one:
        first = [one.read(700)]
        with kept["song"].open() as two:
            second = [two.read(300), two.read(1000)]  # 600 of them are new
            first += [one.read(100), one.read(4500)]
            second += [two.read(9999)]
        assert one.read(10).shape == (2, 0)
        with kept["song"].open() as three:
            third = three.read(5000)
    for blocks in (first, second, [third]):
        np.testing.assert_array_equal(np.concatenate(blocks, 1), music(5000, 2))
    assert opened == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_all_else_is_that_of_the_sound(source, tmp_path):
    with keeping({"song": source}, tmp_path) as kept:
        song = kept["song"]
        assert isinstance(song, KeptSource)
        song.look(level=True)
        for name in ("name", "properties", "tags", "rms"):
            assert getattr(song, name) == getattr(source, name)
        assert song.digest() == source.digest()
        song.check_unchanged()


def test_arrays_are_kept_already(tmp_path):
    array = ArraySource(music(100), 8000)
    with keeping({"song": array}, tmp_path) as kept:
        assert kept["song"] is array


def test_a_full_disk_is_an_error_of_two_lines(source, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SpooledTemporaryFile, "write", fail)
    with (
        keeping({"song": source}, tmp_path) as kept,
        kept["song"].open() as reader,
        pytest.raises(UnwritableAudio, match="No space left"),
    ):
        reader.read(10)


def test_what_keeping_takes_on_the_disk():
    short = ArraySource(music(100), 8000).properties
    assert count_kept_bytes(short) == 0
    long = ArraySource(np.zeros((2, 3_000_000), np.float32), 8000).properties
    assert count_kept_bytes(long) == 2 * 4 * 3_000_000
