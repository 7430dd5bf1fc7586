import os

import pytest
from filelock import FileLock

from msdm_cli.errors import UnwritableResults
from msdm_cli.jobs.journal import Journal, discard_journal
from msdm_cli.jobs.journal_folder import check_own, list_chunks, remove_journal

IDENTITY = {"task": "separate", "options": {"seed": 1}, "inputs": {}}


@pytest.fixture
def victim(tmp_path):
    folder = tmp_path / "victim"
    folder.mkdir()
    for name in ("0.npy", "0.chunk", "job.json", "thesis.txt"):
        (folder / name).write_text("mine")
    return folder


def list_victim(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_link_to_a_folder_is_no_journal(tmp_path, victim):
    link = tmp_path / "out" / ".msdm.part"
    link.parent.mkdir()
    link.symlink_to(victim)
    before = list_victim(victim)
    with pytest.raises(UnwritableResults, match="is a link"), Journal(link, IDENTITY):
        raise AssertionError("entered")
    assert list_victim(victim) == before


def test_a_folder_with_something_else_is_no_journal(victim):
    before = list_victim(victim)
    with pytest.raises(UnwritableResults, match="holds"), Journal(victim, IDENTITY):
        raise AssertionError("entered")
    assert list_victim(victim) == before


@pytest.mark.parametrize("name", ["job.json", "lock", "0.chunk"])
def test_a_link_in_the_place_of_a_file_is_refused(tmp_path, victim, name):
    folder = tmp_path / ".msdm.part"
    folder.mkdir()
    (folder / name).symlink_to(victim / "thesis.txt")
    with pytest.raises(UnwritableResults, match=f"holds {name}"), Journal(folder, IDENTITY):
        raise AssertionError("entered")
    assert (victim / "thesis.txt").read_text() == "mine"


def test_a_pipe_does_not_hang(tmp_path):
    folder = tmp_path / ".msdm.part"
    folder.mkdir()
    os.mkfifo(folder / "job.json")
    with pytest.raises(UnwritableResults, match=r"holds job\.json"):
        check_own(folder)


def test_only_what_a_journal_writes_is_removed(tmp_path):
    folder = tmp_path / ".msdm.part"
    folder.mkdir()
    own = ["0.chunk", "17.chunk", "job.json", "lock", ".3.chunk.0123456789abcdef.part"]
    others = ["x.chunk", "0.chunk.bak", "notes.txt"]
    for name in (*own, *others):
        (folder / name).touch()
    assert {path.name for path in list_chunks(folder)} == {"0.chunk", "17.chunk"}
    remove_journal(folder, FileLock(folder / "lock"))
    assert {path.name for path in folder.iterdir()} == set(others)


def test_a_folder_of_its_own_goes_as_a_whole(tmp_path):
    folder = tmp_path / ".msdm.part"
    folder.mkdir()
    (folder / "0.chunk").touch()
    remove_journal(folder, FileLock(folder / "lock"))
    assert not folder.exists()


def test_discarding_follows_no_link(tmp_path, victim):
    link = tmp_path / ".msdm.part"
    link.symlink_to(victim)
    before = list_victim(victim)
    discard_journal(link, IDENTITY)
    assert list_victim(victim) == before
