"""Unpacking a tar of checkpoints that nobody vouches for."""

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
        Each checkpoint by the name of the folder that holds it in the tar, or by its own if none does.

    Raises:
        UnsafeArchive: It holds a link, a device, or a name that leads out of it. Nothing is unpacked then.
        UnreadableArchive: It is no tar, is cut off, or a folder holds two checkpoints.
        UnwritableWeights: The disk is full.
    """
    try:
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            for member in members:
                _check(path, member)
            chosen = [
                member for member in members if member.isfile() and member.name.endswith(SUFFIX)
            ]
            found: dict[str, Path] = {}
            for number, member in enumerate(chosen):
                inside = PurePosixPath(member.name)
                name = inside.parent.name or inside.stem
                if name in found:
                    raise UnreadableArchive(
                        f"{path}: {name} holds two checkpoints",
                        "Unpack it, and import one of them.",
                    )
                found[name] = folder / f"{number}{SUFFIX}"
                source = tar.extractfile(member)
                assert source is not None  # it is a file
                with source, found[name].open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise UnwritableWeights(
                f"{folder}: cannot take what {path} holds ({error})", "Make room there."
            ) from error
        reason = " ".join(str(error).split())
        raise UnreadableArchive(
            f"{path}: cannot be unpacked ({reason})",
            "Fetch it again; a tar of checkpoints is expected.",
        ) from error
    return found


def _check(path: Path, member: tarfile.TarInfo) -> None:
    inside = PurePosixPath(member.name.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or not (member.isfile() or member.isdir()):
        raise UnsafeArchive(
            f"{path}: {member.name} is a link, a device, or leads out of the archive",
            "Do not trust it. The authors' archives hold folders and files alone.",
        )
