import os
import stat

import pytest

from msdm_cli.temporary import create_temporary, remove_stale, write_whole


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_as_a_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"before")
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"
    assert list_names(tmp_path) == ["a.json"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "whole", b"")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_error_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "folder", b"content")
    assert list_names(tmp_path) == ["folder"]


def test_names_cannot_be_foreseen_and_are_new(tmp_path):
    names = set()
    for _ in range(20):
        descriptor, temporary = create_temporary(tmp_path / "a.wav")
        os.close(descriptor)
        assert stat.S_ISREG(temporary.lstat().st_mode)
        names.add(temporary.name)
    assert len(names) == 20


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    path = tmp_path / "a.wav"
    os.close(create_temporary(path)[0])
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / f".a.wav.{'0' * 16}.part").symlink_to(victim)
    others = [".a.wav.part", ".b.wav.0123456789abcdef.part", ".a.wav.zz.part"]
    for name in others:
        (tmp_path / name).touch()
    remove_stale(path)
    assert list_names(tmp_path) == sorted([*others, "victim"])
    assert victim.read_bytes() == b"mine"
    remove_stale(tmp_path / "nowhere" / "a.wav")
