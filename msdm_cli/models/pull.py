"""Models out of archives that others offer: fetched, checked, imported.

Nobody states a checksum of the authors' archives. That of the first one that made a model is kept,
and another archive under the same address is refused from then on.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from msdm_cli.digest import digest_file
from msdm_cli.errors import (
    ChecksumMismatch,
    MissingPackage,
    ModelError,
    MsdmError,
    UnreadableArchive,
    UnsafeArchive,
    UnwritableWeights,
)
from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.models.archive import extract_checkpoints
from msdm_cli.models.download import fetch_archive
from msdm_cli.models.part_file import discard, was_fetched
from msdm_cli.models.registry import (
    Archive,
    ArchivedModel,
    WeightsEntry,
    cache_folder,
    load_registry,
)
from msdm_cli.progress import Progress
from msdm_cli.small_files import read_small
from msdm_cli.temporary import write_whole

DOWNLOADS = ".downloads"
UNFIT = (ChecksumMismatch, UnreadableArchive, UnsafeArchive, ModelError)
"""Errors of an archive that would come again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pin:
    """The archive that has made models here.

    Attributes:
        url: Its address.
        sha256: Its digest in hexadecimal.
    """

    url: str
    sha256: str


def pull_archive(archive: Archive, progress: Progress) -> list[WeightsEntry]:
    """Fetch an archive, and import the models in it that are missing.

    One process at a time does so; the others wait, and then find the models.

    Args:
        archive: The archive.
        progress: Receives the number of bytes.

    Returns:
        The new models.

    Raises:
        DownloadFailed: It cannot be fetched. The next call resumes.
        ChecksumMismatch: It is another one than before.
        UnreadableArchive, UnsafeArchive, UnreadableCheckpoint: It does not hold the models. It is
            removed then, so that the next call fetches it again.
        MissingPackage: The models need a package. The archive is kept.
        UnwritableWeights: The cache cannot be written.
    """
    downloads = cache_folder() / DOWNLOADS
    tar = downloads / archive.file_name
    with _alone(downloads, archive.name):
        here = load_registry()
        missing = [model for model in archive.models if model.name not in here]
        if not missing:
            return []
        if not tar.exists():
            fetch_archive(archive.url, tar, progress)
        with _removing_unfit(tar), tempfile.TemporaryDirectory(dir=downloads) as folder:
            pin = _check_digest(archive, tar)
            found = _unpack(archive, tar, Path(folder))
            entries = [_import(archive, model, found, tar) for model in missing]
        discard(tar)
        write_whole(_locate_pin(archive), msgspec.json.encode(pin))
    return entries


@contextlib.contextmanager
def _alone(downloads: Path, name: str) -> Iterator[None]:
    """Hold the lock of an archive.

    Raises:
        UnwritableWeights: The cache cannot be written.
    """
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        lock = FileLock(downloads / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("another msdm fetches %s; this one waits for it", name)
            lock.acquire()
    except OSError as error:
        raise UnwritableWeights(
            f"{downloads}: cannot be written ({error})",
            "Set MSDM_CACHE to a folder that can be written.",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _removing_unfit(tar: Path) -> Iterator[None]:
    """Keep an archive that makes no models from being in the way of the next one."""
    try:
        yield
    except MissingPackage:  # the archive is good, and need not come again
        raise
    except UNFIT as error:
        raise _set_aside(tar, error) from error


def _set_aside(tar: Path, error: MsdmError) -> MsdmError:
    """Remove an archive that was fetched; rename one that somebody has put there."""
    if was_fetched(tar):
        discard(tar)
        done = "It was removed, and will be fetched again."
    else:
        refused = tar.with_name(f"{tar.name}.refused")
        tar.replace(refused)
        done = f"It is called {refused.name} now."
    return type(error)(error.message, f"{error.remedy} {done}")


def _check_digest(archive: Archive, tar: Path) -> Pin:
    """Compare an archive with what is known of it.

    Raises:
        ChecksumMismatch: It is another one.
    """
    found = Pin(archive.url, digest_file(tar))
    log.info("%s: sha256 %s", archive.url, found.sha256)
    known = archive.sha256 or _load_pin(archive)
    if known not in (None, found.sha256):
        raise ChecksumMismatch(
            f"{archive.url}: sha256 is {found.sha256}, expected {known}",
            f"The file on the server has changed. If you trust it, remove {_locate_pin(archive)} "
            "first.",
        )
    return found


def _locate_pin(archive: Archive) -> Path:
    return cache_folder() / DOWNLOADS / f"{archive.name}.sha256.json"


def _load_pin(archive: Archive) -> str | None:
    """The digest of the archive that has made models here; None if none of this address has."""
    try:
        pin = msgspec.json.decode(read_small(_locate_pin(archive)), type=Pin)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise ChecksumMismatch(
            f"{_locate_pin(archive)}: cannot be read ({error})", "Remove it, if you know why."
        ) from error
    return pin.sha256 if pin.url == archive.url else None


def _unpack(archive: Archive, tar: Path, folder: Path) -> Mapping[str, Path]:
    """The checkpoints of an archive, by name."""
    return {archive.name: tar} if archive.is_checkpoint else extract_checkpoints(tar, folder)


def _import(
    archive: Archive, model: ArchivedModel, found: Mapping[str, Path], tar: Path
) -> WeightsEntry:
    lacking = [name for name in model.checkpoints if name not in found]
    if lacking:
        raise UnreadableArchive(
            f"{tar}: has no checkpoint {', '.join(lacking)}", f"It has {', '.join(found)}."
        )
    checkpoints = [found[name] for name in model.checkpoints]
    return adopt_checkpoints(model.name, checkpoints, model.description, archive.licence)
