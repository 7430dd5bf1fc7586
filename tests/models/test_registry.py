import hashlib

import pytest

from msdm_cli.cli.examine import examine
from msdm_cli.errors import MissingWeights, UnknownWeights
from msdm_cli.models.registry import find_entry, load_registry
from msdm_cli.models.verify import check_file


def test_what_ships_is_what_is_registered():
    for entry in load_registry().values():
        for file in entry.files:
            content = check_file(entry, file).read_bytes()
            assert len(content) == file.size_bytes
            assert hashlib.sha256(content).hexdigest() == file.sha256


def test_the_embedded_model_fits_in_the_wheel():
    assert find_entry("embedded").weights.size_bytes < 40_000_000


def test_a_damaged_model_beside_it_is_no_reason_not_to_take_what_ships(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "entry.json").write_text("{")
    assert find_entry("embedded").name == "embedded"
    with pytest.raises(MissingWeights, match=r"mine.*is damaged"):
        find_entry("mine")
    findings = {finding.subject: finding for finding in examine()}
    assert "is damaged" in findings["models"].told
    assert not findings["model embedded"].remedy


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownWeights):
        find_entry("nonsense")
