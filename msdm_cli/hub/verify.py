"""Whether the files of a model are those that the registry describes."""

import hashlib
from pathlib import Path

from msdm_cli.errors import ChecksumMismatch, MissingWeights
from msdm_cli.hub.registry import WeightsFile, weights_folder


def locate(file: WeightsFile) -> Path:
    """Path of a model's file.

    Raises:
        MissingWeights: It is not on this machine.
    """
    path = weights_folder() / file.name
    if not path.is_file():
        raise MissingWeights(f"{path}: no such file", "Install msdm again: pip install --force-reinstall msdm")
    return path


def check_file(file: WeightsFile) -> Path:
    """Path of a model's file, after its sha256 was compared with the registry's.

    Raises:
        MissingWeights: It is not on this machine.
        ChecksumMismatch: It is another file.
    """
    path = locate(file)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != file.sha256:
        raise ChecksumMismatch(
            f"{path}: sha256 is {found}, expected {file.sha256}",
            "The file was changed or damaged. Install msdm again: pip install --force-reinstall msdm",
        )
    return path
