"""Archives of checkpoints, good and bad."""

import io
import tarfile

import pytest

from msdm_cli.errors import UnreadableArchive, UnsafeArchive, UnwritableWeights
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
