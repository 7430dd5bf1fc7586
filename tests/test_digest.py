import hashlib
import os
from contextlib import closing

import pytest

from msdm_cli import digest
from msdm_cli.digest import DigestedFile, digest_file


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 35])
def test_it_is_the_sha256_of_the_content_whatever_the_blocks(tmp_path, monkeypatch, size):
    monkeypatch.setattr(digest, "BLOCK_BYTES", 10)
    path = tmp_path / "file"
    content = bytes(range(size))
    path.write_bytes(content)
    assert digest_file(path) == hashlib.sha256(content).hexdigest()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs Unix")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no regular file"):
        digest_file(tmp_path / "pipe")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        digest_file(tmp_path / "none")


CONTENT = bytes(range(256)) * 4


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [(0, 1024)],
        [(0, 100), (100, 500), (600, 1000)],
        [(0, 100), (0, 300), (50, 100), (300, 10)],  # again what was read
        [(0, 10), (15, 20), (40, 984)],  # short jumps
        [(0, 10), (900, 124), (10, 50), (60, 964)],  # to the end and back
        [(0, 10), (900, 124)],
        [(500, 10), (0, 20)],
        [(0, -1)],
    ],
)
def test_whatever_is_read_the_digest_is_that_of_the_whole_file(tmp_path, monkeypatch, steps):
    monkeypatch.setattr(digest, "BLOCK_BYTES", 16)
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with closing(DigestedFile(path)) as file:
        for place, count in steps:
            file.seek(place)
            stop = len(CONTENT) if count < 0 else place + count
            assert file.read(count) == CONTENT[place:stop]
            assert file.tell() == min(stop, len(CONTENT))
        assert file.finish() == hashlib.sha256(CONTENT).hexdigest()


def test_who_reads_forward_takes_the_digest_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "BLOCK_BYTES", 16)
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with closing(DigestedFile(path)) as file:
        file.read(100)
        file.seek(110)  # a short jump
        file.read()
        path.write_bytes(b"")  # nothing is read again
        assert file.finish() == hashlib.sha256(CONTENT).hexdigest()
