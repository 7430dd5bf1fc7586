import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from msdm_cli.digest import digest_file
from msdm_cli.errors import (
    JobRunning,
    NonFiniteSamples,
    ResultsExist,
    UnreadableAudio,
    UnsuitableAudio,
    UnwritableResults,
)
from msdm_cli.jobs.journal import Journal, discard_journal, load_identity
from msdm_cli.tasks.stream import recall

IDENTITY = {"task": "separate", "options": {"seed": 1, "preset": {"eta": 0.0}}, "inputs": {}}
OTHER = {**IDENTITY, "options": {"seed": 9, "preset": {"eta": 1.0}}}


SHAPE = (2, 3)


def chunk(value):
    return np.full(SHAPE, value, np.float32)


def fail():
    raise AssertionError("drawn again")


def interrupt(folder, chunks=2):
    """Leave a journal of a job that was interrupted."""
    with pytest.raises(KeyboardInterrupt), Journal(folder, IDENTITY) as journal:
        journal.begin()
        for index in range(chunks):
            journal.save(index, chunk(index))
        raise KeyboardInterrupt


def test_finished_chunks_are_recalled_after_an_interruption(tmp_path):
    interrupt(tmp_path / "journal")
    skipped = []
    with Journal(tmp_path / "journal", IDENTITY) as journal:
        assert journal.resumed
        journal.begin()
        for index in range(2):
            found = recall(journal, index, fail, lambda: skipped.append(1), SHAPE)
            np.testing.assert_array_equal(found, chunk(index))
        np.testing.assert_array_equal(recall(journal, 2, lambda: chunk(2), fail, SHAPE), chunk(2))
        journal.end()
    assert len(skipped) == 2
    assert not (tmp_path / "journal").exists()


def test_another_job_starts_again_and_says_why(tmp_path, caplog):
    interrupt(tmp_path / "journal")
    other = {**IDENTITY, "options": {"seed": 1, "preset": {"eta": 1.0}}}
    with caplog.at_level(logging.INFO, "msdm_cli"), Journal(tmp_path / "journal", other) as journal:
        assert not journal.resumed
        journal.begin()
        assert journal.load(0) is None
    assert "since preset.eta has changed" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY\x01\x00", b"nonsense"])
def test_a_damaged_chunk_is_drawn_again(tmp_path, damage):
    interrupt(tmp_path / "journal")
    (tmp_path / "journal" / "1.chunk").write_bytes(damage)
    with Journal(tmp_path / "journal", IDENTITY) as journal:
        np.testing.assert_array_equal(recall(journal, 1, lambda: chunk(7), fail, SHAPE), chunk(7))


def test_a_chunk_of_terabytes_is_drawn_again(tmp_path):
    interrupt(tmp_path / "journal")
    with (tmp_path / "journal" / "1.chunk").open("r+b") as file:
        file.truncate(1 << 42)  # a hole, which takes no room
    with Journal(tmp_path / "journal", IDENTITY) as journal:
        np.testing.assert_array_equal(recall(journal, 1, lambda: chunk(7), fail, SHAPE), chunk(7))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"options": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_description_is_of_no_job(tmp_path, damage):
    interrupt(tmp_path / "journal")
    (tmp_path / "journal" / "job.json").write_bytes(damage)
    assert load_identity(tmp_path / "journal") is None
    with Journal(tmp_path / "journal", IDENTITY) as journal:
        assert not journal.resumed
        journal.begin()
        assert journal.load(0) is None
        assert load_identity(tmp_path / "journal") == IDENTITY


def test_an_error_leaves_finished_chunks_and_says_so(tmp_path, caplog):
    with (
        caplog.at_level(logging.INFO, "msdm_cli"),
        pytest.raises(UnwritableResults),
        Journal(tmp_path / "j", IDENTITY) as journal,
    ):
        journal.begin()
        journal.save(0, chunk(0))
        raise UnwritableResults("disk full", "make room")
    assert "1 finished chunk is kept" in caplog.text
    with Journal(tmp_path / "j", IDENTITY) as journal:
        assert journal.resumed
        journal.end()


@pytest.mark.parametrize("error", [NonFiniteSamples, UnsuitableAudio, UnreadableAudio])
def test_an_error_that_would_come_again_removes_the_journal(tmp_path, error):
    with pytest.raises(error), Journal(tmp_path / "j", IDENTITY) as journal:
        journal.begin()
        journal.save(0, chunk(0))
        raise error("what", "do")
    assert not (tmp_path / "j").exists()


def test_an_error_before_any_chunk_leaves_nothing(tmp_path):
    with pytest.raises(UnwritableResults), Journal(tmp_path / "new" / "j", IDENTITY) as journal:
        journal.begin()
        raise UnwritableResults("disk full", "make room")
    assert not (tmp_path / "new").exists()


def test_a_job_that_may_not_begin_changes_nothing(tmp_path, caplog):
    caplog.set_level(logging.INFO, "msdm_cli")
    interrupt(tmp_path / "j")
    before = sorted(path.name for path in (tmp_path / "j").iterdir())
    with pytest.raises(ResultsExist), Journal(tmp_path / "j", OTHER) as journal:
        assert not journal.resumed
        raise ResultsExist("is there already", "")
    assert "continues" not in caplog.text  # that is true of the command of before alone
    assert sorted(path.name for path in (tmp_path / "j").iterdir()) == before
    with Journal(tmp_path / "j", IDENTITY) as journal:
        assert journal.resumed


def test_files_that_a_stopped_job_has_named_are_known_by_their_content(tmp_path):
    one, two = tmp_path / "one.wav", tmp_path / "two.wav"
    for path in (one, two):
        path.write_bytes(path.name.encode())
    digests = {path.stem: digest_file(path) for path in (one, two)}
    with pytest.raises(KeyboardInterrupt), Journal(tmp_path / "j", IDENTITY) as journal:
        journal.begin()
        journal.save(0, chunk(0))
        assert not journal.has_named("one", one)
        journal.note_names(digests)
        raise KeyboardInterrupt
    two.write_bytes(b"edited")
    with Journal(tmp_path / "j", OTHER) as journal:
        assert not journal.has_named("one", one)
    with Journal(tmp_path / "j", IDENTITY) as journal:
        assert journal.has_named("one", one)
        assert not journal.has_named("two", two)
        assert not journal.has_named("three", one)
        assert not journal.has_named("one", tmp_path / "missing.wav")


@pytest.mark.parametrize("damage", [b"", b"[]", b"[" * 10_000, b"\xff"])
def test_a_damaged_list_of_names_allows_nothing(tmp_path, damage):
    interrupt(tmp_path / "j")
    file = tmp_path / "one.wav"
    file.write_bytes(b"mine")
    (tmp_path / "j" / "named.json").write_bytes(damage)
    with Journal(tmp_path / "j", IDENTITY) as journal:
        assert journal.resumed
        assert not journal.has_named("one", file)


def test_another_job_forgets_what_was_named(tmp_path):
    interrupt(tmp_path / "j")
    (tmp_path / "j" / "named.json").write_text("{}")
    with pytest.raises(KeyboardInterrupt), Journal(tmp_path / "j", OTHER) as journal:
        journal.begin()
        journal.save(0, chunk(0))
        raise KeyboardInterrupt
    assert not (tmp_path / "j" / "named.json").exists()


def test_only_the_journal_of_the_finished_job_is_discarded(tmp_path):
    interrupt(tmp_path / "j")
    discard_journal(tmp_path / "j", OTHER)
    assert (tmp_path / "j" / "0.chunk").exists()
    with Journal(tmp_path / "j", IDENTITY):
        discard_journal(tmp_path / "j", IDENTITY)  # it is held
        assert (tmp_path / "j" / "0.chunk").exists()
    discard_journal(tmp_path / "j", IDENTITY)
    assert not (tmp_path / "j").exists()
    discard_journal(tmp_path / "j", IDENTITY)


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_removal_that_was_killed_is_completed(tmp_path, monkeypatch, kept):
    """The chunks go first, then the description; the lock may be left at the very end."""
    interrupt(tmp_path / "j", chunks=3)
    unlink = Path.unlink
    removed = []

    def stop(*arguments, **fields):
        raise KeyboardInterrupt

    def stop_after_some(path, **fields):
        if len(removed) == kept:
            stop()
        removed.append(path.name)
        unlink(path, **fields)

    monkeypatch.setattr(Path, "unlink", stop_after_some)
    with pytest.raises(KeyboardInterrupt):
        discard_journal(tmp_path / "j", IDENTITY)
    monkeypatch.undo()
    assert len(removed) == kept
    assert load_identity(tmp_path / "j") == IDENTITY
    discard_journal(tmp_path / "j", IDENTITY)
    assert not (tmp_path / "j").exists()
    (tmp_path / "j").mkdir()
    (tmp_path / "j" / "lock").write_bytes(b"")
    discard_journal(tmp_path / "j", IDENTITY)
    assert not (tmp_path / "j").exists()


def test_two_at_once_are_refused(tmp_path):
    with (
        Journal(tmp_path / "journal", IDENTITY),
        pytest.raises(JobRunning, match="another msdm is writing"),
        Journal(tmp_path / "journal", IDENTITY),
    ):
        pass


def test_a_chunk_that_the_disk_does_not_take_is_an_error(tmp_path, limit_file_size):
    with (
        pytest.raises(UnwritableResults, match="cannot be written"),
        Journal(tmp_path / "journal", IDENTITY) as journal,
    ):
        journal.begin()
        with limit_file_size(5000):
            journal.save(0, np.zeros(5000, np.float32))
    assert not (tmp_path / "journal").exists()


def test_a_job_that_cannot_be_described_is_an_error(tmp_path, limit_file_size):
    with (
        pytest.raises(UnwritableResults, match="cannot be written"),
        Journal(tmp_path / "journal", IDENTITY) as journal,
        limit_file_size(10),
    ):
        journal.begin()
    assert not (tmp_path / "journal").exists()


def test_a_folder_that_another_process_removes_at_that_moment_is_made_again(tmp_path, monkeypatch):
    acquire = FileLock.acquire
    removed = []

    def lose_folder_once(lock, **fields):
        proxy = acquire(lock, **fields)
        if not removed:
            removed.append(shutil.rmtree(tmp_path / "journal"))
        return proxy

    monkeypatch.setattr(FileLock, "acquire", lose_folder_once)
    with Journal(tmp_path / "journal", IDENTITY) as journal:
        assert (tmp_path / "journal" / "lock").exists()
        journal.begin()
        assert load_identity(tmp_path / "journal") == IDENTITY
    assert len(removed) == 1


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(UnwritableResults, match="cannot be written"),
        Journal(tmp_path / "file" / "j", IDENTITY),
    ):
        pass


def test_chunks_that_do_not_go_to_the_disk_are_held_in_memory(tmp_path):
    """A job of one chunk may keep two: of a sketch, and of its sound."""
    with Journal(tmp_path / "j", IDENTITY) as journal:
        journal.begin()
        journal.on_disk = False
        for index in (0, 1):
            journal.save(index, chunk(index))
        assert not list((tmp_path / "j").glob("*.chunk"))
        for index in (0, 1):
            np.testing.assert_array_equal(journal.load(index), chunk(index))
        assert journal.load(2) is None


def test_of_chunks_on_the_disk_the_last_is_held_in_memory(tmp_path):
    with Journal(tmp_path / "j", IDENTITY) as journal:
        journal.begin()
        for index in (0, 1):
            journal.save(index, chunk(index))
            (tmp_path / "j" / f"{index}.chunk").unlink()
        np.testing.assert_array_equal(journal.load(1), chunk(1))
        assert journal.load(0) is None
