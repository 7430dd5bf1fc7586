"""Comparing the files of a model with the registry."""

from pathlib import Path

from msdm_cli.digest import digest_file
from msdm_cli.errors import ChecksumMismatch, MissingWeights
from msdm_cli.models.registry import REINSTALL, WeightsEntry, WeightsFile


def locate(entry: WeightsEntry, file: WeightsFile) -> Path:
    """Path of a model's file.

    Raises:
        MissingWeights: It is not on this machine.
    """
    path = entry.folder / file.name
    if not path.is_file():
        raise MissingWeights(f"{path}: no such file", f"{REINSTALL}, or fetch the model again.")
    return path


def check_file(entry: WeightsEntry, file: WeightsFile) -> Path:
    """Path of a model's file, after comparing its sha256 with the registry's.

    Raises:
        MissingWeights: It is not on this machine.
        ChecksumMismatch: Its content is not the registered one.
    """
    path = locate(entry, file)
    found = digest_file(path)
    if found != file.sha256:
        raise ChecksumMismatch(
            f"{path}: sha256 is {found}, expected {file.sha256}",
            f"The file was changed or damaged. {REINSTALL}, or fetch the model again.",
        )
    return path


def describe(path: Path) -> WeightsFile:
    """The name, digest and size of a file."""
    return WeightsFile(path.name, digest_file(path), path.stat().st_size)
