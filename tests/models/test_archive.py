"""Archives of checkpoints, good and bad."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from msdm_cli.errors import UnreadableArchive, UnsafeArchive, UnwritableWeights
from msdm_cli.models import archive
from msdm_cli.models.archive import extract_checkpoints


def write_tar(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = len(content)
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = content.decode()
                info.size = 0
            tar.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return path


def test_only_checkpoints_are_unpacked(tmp_path):
    tar = write_tar(
        tmp_path / "some.tar",
        ("logs", b"", tarfile.DIRTYPE),
        ("logs/one-1/epoch=1.ckpt", b"first", tarfile.REGTYPE),
        ("logs/two-2/epoch=2.ckpt", b"second", tarfile.REGTYPE),
        ("logs/two-2/config.yaml", b"x: 1", tarfile.REGTYPE),
    )
    folder = tmp_path / "out"
    folder.mkdir()
    found = extract_checkpoints(tar, folder)
    assert {name: path.read_bytes() for name, path in found.items()} == {
        "one-1": b"first",
        "two-2": b"second",
    }
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "member",
    [
        ("../out.ckpt", b"x", tarfile.REGTYPE),
        ("/tmp/out.ckpt", b"x", tarfile.REGTYPE),
        ("a/../../out.ckpt", b"x", tarfile.REGTYPE),
        ("..\\out.ckpt", b"x", tarfile.REGTYPE),
        ("a.ckpt", b"/etc/passwd", tarfile.SYMTYPE),
        ("a.ckpt", b"/etc/passwd", tarfile.LNKTYPE),
        ("a.ckpt", b"", tarfile.FIFOTYPE),
        ("a.ckpt", b"", tarfile.CHRTYPE),
    ],
)
def test_what_leads_out_or_is_no_file_is_refused_before_anything_is_unpacked(tmp_path, member):
    folder = tmp_path / "out"
    folder.mkdir()
    tar = write_tar(tmp_path / "bad.tar", ("fine/epoch.ckpt", b"x", tarfile.REGTYPE), member)
    with pytest.raises(UnsafeArchive):
        extract_checkpoints(tar, folder)
    assert not list(folder.iterdir())


def test_two_checkpoints_in_a_folder_are_ambiguous(tmp_path):
    members = [(f"one/{number}.ckpt", b"x", tarfile.REGTYPE) for number in range(2)]
    with pytest.raises(UnreadableArchive, match="two checkpoints"):
        extract_checkpoints(write_tar(tmp_path / "two.tar", *members), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\x1f\x8b cut off"])
def test_what_is_no_tar_is_refused(tmp_path, content):
    path = tmp_path / "no.tar"
    path.write_bytes(content)
    with pytest.raises(UnreadableArchive, match="cannot be unpacked"):
        extract_checkpoints(path, tmp_path)


def test_a_tar_that_breaks_off_is_refused(tmp_path):
    whole = write_tar(
        tmp_path / "whole.tar", ("one/a.ckpt", bytes(range(256)) * 400, tarfile.REGTYPE)
    )
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UnreadableArchive):
        extract_checkpoints(cut, tmp_path)


def test_a_full_disk_is_not_blamed_on_the_archive(tmp_path, limit_file_size):
    tar = write_tar(tmp_path / "some.tar", ("one/a.ckpt", b"x" * 100_000, tarfile.REGTYPE))
    with limit_file_size(50_000), pytest.raises(UnwritableWeights, match="cannot store"):
        extract_checkpoints(tar, tmp_path)


def write_raw(path, *members, mode="w"):
    """A tar of headers that claim what they like, each with its content."""
    with tarfile.open(path, mode) as tar:
        for kind, size, content in members:
            info = tarfile.TarInfo("one/a.ckpt")
            info.type = kind
            info.size = size
            tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
            tar.fileobj.write(content)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
@pytest.mark.parametrize(
    "kind",
    [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X"],
)
def test_a_header_of_gigabytes_is_refused_before_it_is_read(tmp_path, kind, mode):
    tar = write_raw(tmp_path / "a.tar", (kind, 5 << 30, b"x" * 5120), mode=mode)
    with pytest.raises(UnsafeArchive, match="a header of 5368709120 bytes"):
        extract_checkpoints(tar, tmp_path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE, tarfile.CONTTYPE])
def test_a_file_of_gigabytes_in_a_few_bytes_is_refused(tmp_path, kind, mode):
    folder = tmp_path / "out"
    folder.mkdir()
    tar = write_raw(tmp_path / "a.tar", (kind, 100 << 30, b"x" * 5120), mode=mode)
    with pytest.raises(UnsafeArchive, match=r"20 times its own size|has holes"):
        extract_checkpoints(tar, folder)
    assert not list(folder.iterdir())


def test_holes_in_headers_of_pax_are_refused(tmp_path):
    info = tarfile.TarInfo("one/a.ckpt")
    info.size = 512
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(100 << 30),
        "GNU.sparse.map": "0,512",
    }
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"x" * 512))
    with pytest.raises(UnsafeArchive, match="has holes"):
        extract_checkpoints(tmp_path / "a.tar", tmp_path)


@pytest.mark.parametrize("size", ["-1024", "-100000", "99999999999999999999"])
def test_a_size_in_headers_of_pax_is_a_claim_too(tmp_path, size):
    info = tarfile.TarInfo("one/a.ckpt")
    info.pax_headers = {"size": size}
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info)
    with pytest.raises((UnsafeArchive, UnreadableArchive)):
        extract_checkpoints(tmp_path / "a.tar", tmp_path)


def test_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    members = [(f"{number}/a.ckpt", b"x", tarfile.REGTYPE) for number in range(4)]
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(UnsafeArchive, match="more than 3 members"):
        extract_checkpoints(write_tar(tmp_path / "a.tar", *members), folder)
    assert not list(folder.iterdir())


def test_headers_of_headers_without_end_are_refused(tmp_path):
    members = [(tarfile.XGLTYPE, 0, b"")] * 5000
    with pytest.raises(UnreadableArchive):
        extract_checkpoints(write_raw(tmp_path / "a.tar", *members), tmp_path)


@pytest.mark.parametrize("mode", ["w:xz"])
def test_other_compressions_are_not_unpacked(tmp_path, mode):
    with tarfile.open(tmp_path / "a.tar", mode):
        pass
    with pytest.raises(UnreadableArchive, match="cannot be unpacked"):
        extract_checkpoints(tmp_path / "a.tar", tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs Unix")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.tar")
    for path in (tmp_path / "a.tar", Path("/dev/zero")):
        with pytest.raises(UnreadableArchive, match="no regular file"):
            extract_checkpoints(path, tmp_path)
