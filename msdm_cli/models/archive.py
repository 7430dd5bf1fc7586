"""Unpacking a tar of checkpoints from an untrusted source.

A tar of a few bytes can claim a name of gigabytes, a file that is mostly holes, or a billion
members. Each claim is bounded before it is believed.
"""

import errno
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msdm_cli.errors import UnreadableArchive, UnsafeArchive, UnwritableWeights
from msdm_cli.small_files import check_regular

SUFFIX = ".ckpt"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

COMPRESSIONS = {b"\x1f\x8b": "r:gz", b"BZh": "r:bz2"}
"""Modes of tarfile by the first bytes. xz is left out: it can ask for 4 GB of memory."""

MOST_MEMBERS = 10_000
MOST_HEADER_BYTES = 1 << 16
"""Long names and the like; tarfile reads them into memory."""

MOST_RATIO = 20
SPARE_BYTES = 1 << 20
"""What is in an archive is at most this many times its size, as weights hardly compress."""

HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)

UNREADABLE = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RecursionError)
"""What tarfile raises for a damaged archive."""


class _Disproportionate(Exception):
    """A claim is larger than any archive of weights would make."""


class _Member(tarfile.TarInfo):
    """A member whose claims are bounded as soon as they are read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        """A member from the 512 bytes that describe it."""
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0 or (member.type in HEADERS and member.size > MOST_HEADER_BYTES):
            raise _Disproportionate(f"claims a header of {member.size} bytes")
        return member


def extract_checkpoints(path: Path, folder: Path) -> dict[str, Path]:
    """Unpack the checkpoints of a tar, and nothing else.

    Args:
        path: The tar; packed by gzip or bzip2, or not.
        folder: Receives the checkpoints.

    Returns:
        Each checkpoint by the name of its folder in the tar, or by its own name if it has none.

    Raises:
        UnsafeArchive: It holds a link, a device, a name that leads out of it, or claims that are
            out of all proportion. Nothing is unpacked then.
        UnreadableArchive: It is not a tar, is truncated, or one folder holds two checkpoints.
        UnwritableWeights: The disk is full.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            beginning = file.read(3)
        mode = next(
            (COMPRESSIONS[kind] for kind in COMPRESSIONS if beginning.startswith(kind)), "r:"
        )
        with tarfile.open(path, mode, tarinfo=_Member) as tar:  # type: ignore[call-overload]
            return _extract(tar, path, folder)
    except _Disproportionate as error:
        raise UnsafeArchive(f"{path}: {error}", "Do not trust it.") from error
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise UnwritableWeights(
                f"{folder}: cannot store the checkpoints of {path} ({error})", "Free space there."
            ) from error
        reason = " ".join(str(error).split())[:200]
        raise UnreadableArchive(
            f"{path}: cannot be unpacked ({reason})",
            "Fetch it again; it must be a tar of checkpoints, packed by gzip or bzip2, or not.",
        ) from error


def _extract(tar: tarfile.TarFile, path: Path, folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for member in list(_list_members(tar, path)):
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


def _list_members(tar: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """The members, each checked before the next one is looked for.

    Raises:
        UnsafeArchive: One is a link, or leads out of the archive.
        _Disproportionate: There are too many, or they are too large.
    """
    left = MOST_RATIO * path.stat().st_size + SPARE_BYTES
    place = -1
    for number, member in enumerate(tar):
        _check_member(path, member)
        left -= member.size
        # A size below 0 would lead back to a member of before.
        backwards = member.size < 0 or member.offset <= place
        place = member.offset
        if left < 0 or number >= MOST_MEMBERS or backwards:
            raise _Disproportionate(
                f"claims more than {MOST_MEMBERS} members, or {MOST_RATIO} times its own size"
            )
        yield member


def _check_member(path: Path, member: tarfile.TarInfo) -> None:
    inside = PurePosixPath(member.name.replace("\\", "/"))
    plain = member.isdir() or (member.isfile() and not member.issparse())
    if inside.is_absolute() or ".." in inside.parts or not plain:
        raise UnsafeArchive(
            f"{path}: {member.name[:100]} is a link or a device, has holes, or leads out of the "
            "archive",
            "Do not trust it. The authors' archives hold only folders and files.",
        )
