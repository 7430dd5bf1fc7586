import hashlib

import pytest

from msdm_cli import digest
from msdm_cli.digest import digest_file


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 35])
def test_it_is_the_sha256_of_the_content_whatever_the_blocks(tmp_path, monkeypatch, size):
    monkeypatch.setattr(digest, "BLOCK_BYTES", 10)
    path = tmp_path / "file"
    content = bytes(range(size))
    path.write_bytes(content)
    assert digest_file(path) == hashlib.sha256(content).hexdigest()


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        digest_file(tmp_path / "none")
