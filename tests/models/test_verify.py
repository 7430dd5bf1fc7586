import dataclasses
import hashlib

import pytest

from msdm_cli.errors import ChecksumMismatch, MissingWeights
from msdm_cli.models.registry import WeightsEntry
from msdm_cli.models.verify import check_file, describe, locate

CONTENT = b"some weights" * 200_000


@pytest.fixture
def entry(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(CONTENT)
    file = describe(path)
    return WeightsEntry("mine", "for a test", "none", tmp_path, weights=file, spec=file)


def test_a_file_is_described_by_its_content(entry):
    assert entry.weights.name == "w.safetensors"
    assert entry.weights.size_bytes == len(CONTENT)
    assert entry.weights.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_an_unchanged_file_is_found(entry):
    path = entry.folder / "w.safetensors"
    assert check_file(entry, entry.weights) == locate(entry, entry.weights) == path


def test_a_changed_file_is_an_error(entry):
    (entry.folder / "w.safetensors").write_bytes(CONTENT[:-1] + b"x")
    assert locate(entry, entry.weights).is_file()
    with pytest.raises(ChecksumMismatch, match=f"expected {entry.weights.sha256}"):
        check_file(entry, entry.weights)


def test_a_missing_file_is_an_error(entry):
    missing = dataclasses.replace(entry.weights, name="other.safetensors")
    with pytest.raises(MissingWeights, match=r"other\.safetensors: no such file"):
        check_file(entry, missing)
