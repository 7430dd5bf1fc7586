import errno
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from msdm_cli.errors import (
    InputError,
    MissingPackage,
    ResultsError,
    UnreadableAudio,
    UnwritableAddress,
)
from msdm_cli.jobs.remote.storage import RIGHTS, Folder, connect, fetch

OUT = Path("memory://out")


def put(memory, *names):
    for name in names:
        memory.pipe_file(f"/{name}", name.encode())


def test_a_file_is_fetched(memory, tmp_path):
    put(memory, "in/a.wav")
    fetch(Path("memory://in/a.wav"), tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_text() == "in/a.wav"


def test_what_is_not_there_cannot_be_fetched(memory, tmp_path):
    put(memory, "in/a.wav")
    for name in ("in/b.wav", "in"):
        with pytest.raises(UnreadableAudio, match=f"memory://{name}: cannot be read"):
            fetch(Path(f"memory://{name}"), tmp_path / "b.wav")


def test_a_password_is_refused_and_not_shown():
    with (
        pytest.raises(InputError, match="an address has a password") as found,
        connect(Path("ssh://me:secret@host/in"), InputError, "listed"),
    ):
        pass
    assert "secret" not in str(found.value)


def test_a_link_that_is_signed_is_refused_and_not_shown():
    with (
        pytest.raises(InputError, match="an address has a query") as found,
        connect(Path("https://x.org/a.wav?sig=secret"), InputError, "listed"),
    ):
        pass
    assert "secret" not in str(found.value)


def test_a_full_disk_is_no_question_of_rights(memory, tmp_path):
    with (
        pytest.raises(UnreadableAudio) as found,
        connect(Path("memory://in/a.wav"), UnreadableAudio, "read"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "a.wav", None, "b.wav")
    assert found.value.message == "memory://in/a.wav: cannot be read (No space left on device)"
    assert found.value.remedy == "Make room on the disk."
    with pytest.raises(UnreadableAudio) as found:
        fetch(Path("memory://in/no.wav"), tmp_path / "a.wav")
    assert found.value.message == "memory://in/no.wav: cannot be read (there is none)"


def test_a_file_appears_whole_and_old_temporary_files_go(memory, tmp_path):
    (tmp_path / "a").write_text("new")
    put(memory, "out/a.wav", "out/.a.wav.0123456789abcdef.part", "out/.b.wav.0123456789abcdef.part")
    folder = Folder(OUT)
    folder.remove_stale([OUT / "a.wav"])
    temporary = folder.upload(tmp_path / "a", OUT / "a.wav")
    assert memory.cat_file("/out/a.wav") == b"out/a.wav"
    folder.move(temporary, OUT / "a.wav")
    assert memory.cat_file("/out/a.wav") == b"new"
    assert sorted(memory.find("/out")) == ["/out/.b.wav.0123456789abcdef.part", "/out/a.wav"]
    assert folder.find_size(OUT / "a.wav") == 3
    assert folder.find_size(OUT / "b.wav") is None


@pytest.mark.parametrize("name", ["a [live].wav", "b*.wav", "c?.wav"])
def test_a_name_is_no_pattern(memory, tmp_path, name):
    (tmp_path / "a").write_text("new")
    put(memory, "out/b.wav", "out/bc.wav", f"out/{name}")
    folder = Folder(OUT)
    folder.move(folder.upload(tmp_path / "a", OUT / name), OUT / name)
    assert memory.cat_file(f"/out/{name}") == b"new"
    assert sorted(memory.find("/out")) == sorted(["/out/b.wav", "/out/bc.wav", f"/out/{name}"])


def test_files_of_this_machine_are_renamed(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("new")
    path = Path(f"file://{tmp_path.as_posix()}/out/a [live].wav")
    folder = Folder(path.parent)
    temporary = folder.upload(tmp_path / "a", path)
    monkeypatch.setattr(LocalFileSystem, "cp_file", lambda *given: pytest.fail("it is copied"))
    folder.move(temporary, path)
    assert (tmp_path / "out" / "a [live].wav").read_text() == "new"


def test_no_bucket_is_made(memory, monkeypatch):
    monkeypatch.setattr(type(memory), "protocol", ("s3", "s3a"))
    monkeypatch.setattr(type(memory), "makedirs", lambda *given, **options: pytest.fail("made"))
    Folder(OUT).write(OUT / "a", b"new")
    assert memory.cat_file("/out/a") == b"new"


def test_an_upload_that_fails_leaves_nothing(memory, tmp_path, monkeypatch):
    def fail(self, file, place, **options):
        self.pipe_file(place, b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(memory), "put_file", fail)
    (tmp_path / "a").write_text("new")
    with pytest.raises(UnwritableAddress, match=r"memory://out/a\.wav: cannot be written"):
        Folder(OUT).upload(tmp_path / "a", OUT / "a.wav")
    assert memory.find("/out") == []


def test_whether_it_can_be_written_is_tried(memory):
    Folder(OUT).check_writable(OUT / "a" / "msdm.json")
    assert memory.find("/out") == []
    with pytest.raises(UnwritableAddress, match="Access Denied"):
        Folder(OUT).check_writable(Path("refusing://bucket/msdm.json"))


def test_small_files_are_written_read_and_removed(memory):
    folder = Folder(OUT)
    folder.write(OUT / "new" / "a", b"content")
    assert folder.read(OUT / "new" / "a") == b"content"
    for _ in range(2):
        folder.remove(OUT / "new" / "a")
    folder.remove_stale([Path("memory://nowhere/a")])
    with pytest.raises(ResultsError, match="memory://out/new/a: cannot be read"):
        folder.read(OUT / "new" / "a")


def test_a_storage_without_rights_is_said_with_its_address(tmp_path):
    place = Path("refusing://bucket/a.wav")
    calls = {
        UnreadableAudio: lambda: fetch(place, tmp_path / "a"),
        UnwritableAddress: lambda: Folder(place.parent).write(place, b""),
        ResultsError: lambda: Folder(place.parent).find_size(place),
    }
    for kind, call in calls.items():
        with pytest.raises(kind) as found:
            call()
        assert found.value.message.startswith("refusing://bucket/a.wav: cannot be ")
        assert "Access Denied" in found.value.message
        assert found.value.remedy == RIGHTS


def test_what_fsspec_does_not_know_or_lacks_is_said():
    with (
        pytest.raises(InputError, match=r"elves://x: cannot be listed .*elves"),
        connect(Path("elves://x"), InputError, "listed"),
    ):
        pass
    with (
        pytest.raises(MissingPackage, match=r"x: cannot be read \(Install elves"),
        connect(Path("memory://x"), InputError, "read"),
    ):
        raise ImportError("Install elves to access them")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("Install s3fs to access S3", "Run pip install s3fs."),
        ("Please install gcsfs to access Google Storage", "Run pip install gcsfs."),
        ("Install the requests package to use the gist FS", "Run pip install requests."),
        ('SFTPFileSystem requires "paramiko" to be installed', "Run pip install paramiko."),
        ("LibArchive requires to be installed", "Install that package."),
    ],
)
def test_the_package_that_a_storage_lacks_is_named_as_a_command(text, remedy):
    with pytest.raises(MissingPackage) as found, connect(Path("memory://x"), InputError, "read"):
        raise ImportError(text)
    assert found.value.remedy == remedy
