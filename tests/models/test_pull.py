"""Archives become models, one process at a time, and only the archive of before."""

import dataclasses
import hashlib
import io
import sys
import tarfile
import threading

import pytest
import torch
from conftest import WAIT_SECONDS, lightning_checkpoint
from small_demucs import make_separator, serialize

from msdm_cli.digest import digest_file
from msdm_cli.errors import (
    ChecksumMismatch,
    MissingPackage,
    UnreadableArchive,
    UnreadableCheckpoint,
    UnsafeArchive,
    UnwritableWeights,
)
from msdm_cli.models import pull
from msdm_cli.models.part_file import PartFile, Version
from msdm_cli.models.pull import pull_archive
from msdm_cli.models.registry import Archive, ArchivedModel, find_entry
from msdm_cli.progress import SilentProgress

ARCHIVE = Archive(
    "some", "https://host/some.tar", "MIT", (ArchivedModel("one", "a model", ("run",)),)
)
OTHERS = (ArchivedModel("two", "another model", ("run",)),)


@pytest.fixture(scope="module")
def checkpoint():
    buffer = io.BytesIO()
    torch.save(lightning_checkpoint()[1], buffer)
    return buffer.getvalue()


def make_tar(content, name="run/epoch=1.ckpt", kind=tarfile.REGTYPE):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        info.type = kind
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(monkeypatch, checkpoint):
    """Takes the place of the network."""

    class Server:
        content = make_tar(checkpoint)
        fetched = 0

        def fetch(self, url, path, progress):
            self.fetched += 1
            with PartFile(path, url) as file:
                file.begin(Version(url, len(self.content)))
                file.append(self.content)
                file.complete()

    found = Server()
    monkeypatch.setattr(pull, "fetch_archive", found.fetch)
    return found


def run(archive=ARCHIVE):
    return [entry.name for entry in pull_archive(archive, SilentProgress())]


def list_kept(cache):
    return sorted(path.name for path in (cache / ".downloads").iterdir())


def test_an_archive_becomes_a_model_and_goes(cache, server):
    assert run() == ["one"]
    assert find_entry("one").licence == "MIT"
    assert list_kept(cache) == ["some.lock", "some.sha256.json"]
    assert run() == []
    assert server.fetched == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no tar", UnreadableArchive),
        (make_tar(b"x", name="other/a.ckpt"), UnreadableArchive),
        (make_tar(b"", kind=tarfile.SYMTYPE), UnsafeArchive),
        (make_tar(b"no checkpoint"), UnreadableCheckpoint),
    ],
)
def test_what_makes_no_model_is_not_in_the_way_of_the_next(cache, server, content, error):
    whole, server.content = server.content, content
    with pytest.raises(error) as caught:
        run()
    assert caught.value.remedy.endswith("It was removed, and will be fetched again.")
    assert list_kept(cache) == ["some.lock"]
    server.content = whole
    assert run() == ["one"]


def test_what_somebody_has_put_there_is_taken(cache, server):
    (cache / ".downloads").mkdir(parents=True)
    (cache / ".downloads" / "some.tar").write_bytes(server.content)
    assert run() == ["one"]
    assert server.fetched == 0


def test_what_somebody_has_put_there_is_not_removed_if_it_is_unfit(cache, server):
    (cache / ".downloads").mkdir(parents=True)
    (cache / ".downloads" / "some.tar").write_bytes(b"mine")
    with pytest.raises(UnreadableArchive) as caught:
        run()
    assert caught.value.remedy.endswith("It is called some.tar.refused now.")
    assert (cache / ".downloads" / "some.tar.refused").read_bytes() == b"mine"
    assert run() == ["one"]


def test_another_archive_of_the_same_address_is_refused(cache, server, checkpoint):
    run()
    first = server.content
    server.content = make_tar(checkpoint, name="run/epoch=2.ckpt")
    more = dataclasses.replace(ARCHIVE, models=OTHERS)
    with pytest.raises(ChecksumMismatch, match=r"expected [0-9a-f]{64}") as caught:
        run(more)
    pin = cache / ".downloads" / "some.sha256.json"
    assert str(pin) in caught.value.remedy
    assert list_kept(cache) == ["some.lock", "some.sha256.json"]
    server.content = first
    assert run(more) == ["two"]


def test_another_archive_is_taken_once_the_old_is_forgotten(cache, server, checkpoint):
    run()
    (cache / ".downloads" / "some.sha256.json").unlink()
    server.content = make_tar(checkpoint, name="run/epoch=2.ckpt")
    assert run(dataclasses.replace(ARCHIVE, models=OTHERS)) == ["two"]


def test_a_damaged_note_of_the_digest_is_no_leave(cache, server):
    (cache / ".downloads").mkdir(parents=True)
    (cache / ".downloads" / "some.sha256.json").write_text("[")
    with pytest.raises(ChecksumMismatch, match="cannot be read"):
        run()


def test_a_digest_that_is_stated_is_compared(cache, server, tmp_path):
    (tmp_path / "a").write_bytes(server.content)
    stated = digest_file(tmp_path / "a")
    with pytest.raises(ChecksumMismatch):
        run(dataclasses.replace(ARCHIVE, sha256="0" * 64))
    assert run(dataclasses.replace(ARCHIVE, sha256=stated)) == ["one"]


def test_several_at_once_fetch_it_once(cache, server, caplog):
    """The lock holds until the model is there."""
    caplog.set_level("INFO")
    waiting = threading.Event()
    fetch = server.fetch

    def fetch_slowly(url, path, progress):
        thread.start()
        assert waiting.wait(WAIT_SECONDS)
        fetch(url, path, progress)

    class Noticing(pull.FileLock):
        def acquire(self, timeout=None, **options):
            if timeout is None:
                waiting.set()
            return super().acquire(timeout, **options)

    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pull, "FileLock", Noticing)
        patch.setattr(pull, "fetch_archive", fetch_slowly)
        assert run() == ["one"]
        thread.join(WAIT_SECONDS)
    assert found == [[]]
    assert server.fetched == 1
    assert "another msdm fetches some" in caplog.text


def test_a_full_disk_does_not_cost_the_download(cache, server, monkeypatch, limit_file_size):
    size = len(server.content)
    with limit_file_size(size // 2), pytest.raises(OSError, match="too large"):
        run()
    monkeypatch.setattr(pull, "extract_checkpoints", fail_to_write)
    with pytest.raises(UnwritableWeights):
        run()
    monkeypatch.undo()
    monkeypatch.setenv("MSDM_CACHE", str(cache))
    assert (cache / ".downloads" / "some.tar").stat().st_size == size
    assert run() == ["one"]


def fail_to_write(path, folder):
    raise UnwritableWeights("the disk is full", "Free space.")


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UnwritableWeights, match="cannot be written"):
        run()


ALONE = Archive("others", "https://host/a.th", "MIT", (ArchivedModel("others", "a", ("others",)),))


@pytest.fixture
def separator(server):
    """A checkpoint of Demucs on the server, without a tar around it."""
    buffer = io.BytesIO()
    torch.save(serialize(make_separator()), buffer)
    server.content = buffer.getvalue()
    return dataclasses.replace(ALONE, sha256=hashlib.sha256(server.content).hexdigest())


def test_a_checkpoint_that_comes_alone_becomes_a_model(cache, separator):
    assert run(separator) == ["others"]
    entry = find_entry("others")
    assert (entry.licence, entry.description) == ("MIT", "a")
    assert list_kept(cache) == ["others.lock", "others.sha256.json"]


def test_a_checkpoint_is_kept_until_its_package_is_here(cache, separator, server, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "demucs.htdemucs", None)
        with pytest.raises(MissingPackage, match="demucs"):
            run(separator)
    assert "others.th" in list_kept(cache)
    assert run(separator) == ["others"]
    assert server.fetched == 1


def test_a_checkpoint_of_another_digest_is_refused(cache, separator):
    with pytest.raises(ChecksumMismatch):
        run(dataclasses.replace(separator, sha256="0" * 64))
    assert not list((cache / ".downloads").glob("*.th"))
