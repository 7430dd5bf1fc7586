import os
from pathlib import Path

import pytest

from msdm_cli.small_files import MOST_BYTES, check_regular, read_small


def test_a_file_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"x" * MOST_BYTES)
    assert read_small(path) == b"x" * MOST_BYTES


def test_a_large_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    with pytest.raises(OSError, match="larger than 4 MB"):
        read_small(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs Unix")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero")):
        for read in (read_small, check_regular):
            with pytest.raises(OSError, match="no regular file"):
                read(path)


def test_files_are_regular(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    check_regular(tmp_path / "a")
    with pytest.raises(OSError, match="no regular file"):
        check_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "b")
