"""Unpacking a tar of checkpoints from an untrusted source."""

import errno
import lzma
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from msdm_cli.errors import UnreadableArchive, UnsafeArchive, UnwritableWeights

SUFFIX = ".ckpt"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def extract_checkpoints(path: Path, folder: Path) -> dict[str, Path]:
    """Unpack the checkpoints of a tar, and nothing else.

    Args:
        path: The tar, compressed or not.
        folder: Receives the checkpoints.

    Returns:
        Each checkpoint by the name of its folder in the tar, or by its own name if it has none.

    Raises:
        UnsafeArchive: It holds a link, a device, or a name that leads out of it. Nothing is
            unpacked then.
        UnreadableArchive: It is not a tar, is truncated, or one folder holds two checkpoints.
        UnwritableWeights: The disk is full.
    """
    try:
        with tarfile.open(path) as tar:
            return _extract(tar, path, folder)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise UnwritableWeights(
                f"{folder}: cannot store the checkpoints of {path} ({error})", "Free space there."
            ) from error
        reason = " ".join(str(error).split())
        raise UnreadableArchive(
            f"{path}: cannot be unpacked ({reason})",
            "Fetch it again; it must be a tar of checkpoints.",
        ) from error


def _extract(tar: tarfile.TarFile, path: Path, folder: Path) -> dict[str, Path]:
    members = tar.getmembers()
    for member in members:
        _check_member(path, member)
    found: dict[str, Path] = {}
    for member in members:
        if not (member.isfile() and member.name.endswith(SUFFIX)):
            continue
        inside = PurePosixPath(member.name)
        name = inside.parent.name or inside.stem
        if name in found:
            raise UnreadableArchive(
                f"{path}: {name} holds two checkpoints", "Unpack it, and import one of them."
            )
        # A name of ours, because the member's name may not be one that this system takes.
        found[name] = folder / f"{len(found)}{SUFFIX}"
        source = tar.extractfile(member)
        assert source is not None  # as the member is a file
        with source, found[name].open("wb") as target:
            shutil.copyfileobj(source, target)
    return found


def _check_member(path: Path, member: tarfile.TarInfo) -> None:
    inside = PurePosixPath(member.name.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or not (member.isfile() or member.isdir()):
        raise UnsafeArchive(
            f"{path}: {member.name} is a link, a device, or leads out of the archive",
            "Do not trust it. The authors' archives hold only folders and files.",
        )
