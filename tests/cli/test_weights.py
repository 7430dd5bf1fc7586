"""``msdm weights``: list, path, verify, export, remove."""

import json
from pathlib import Path

import pytest
from run_msdm import msdm, store_tiny_model

from msdm_cli.models import export
from msdm_cli.models.registry import find_entry


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_models_on_this_machine_and_offered_ones_are_listed(cache):
    store_tiny_model(cache)
    listed = json.loads(msdm("weights", "list", "--json").stdout)
    assert [model["name"] for model in listed["models"]] == ["embedded", "tiny"]
    names = [model["name"] for model in listed["offered"]]
    assert names == ["msdm", "msdm-generation", "msdm-per-stem", "htdemucs", "htdemucs_6s"]
    table = msdm("weights", "list").stdout
    assert "random weights" in table
    assert "pull msdm" in table


def test_the_embedded_model_is_shown_and_verified():
    path = Path(msdm("weights", "path").stdout.strip())
    assert path.is_file()
    lines = msdm("weights", "verify").stdout.splitlines()
    assert lines[0].startswith(f"{path}: ok, sha256 ")
    assert len(lines) == len(find_entry("embedded").files)


def test_an_unknown_model_is_two_lines(cache):
    msdm("weights", "path", "nonsense").assert_two_lines("nonsense", "embedded", returncode=2)


def test_a_damaged_model_is_found(cache):
    store_tiny_model(cache)
    path = Path(msdm("weights", "path", "tiny").stdout.strip())
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    msdm("weights", "verify", "tiny").assert_two_lines("sha256", str(path))


def test_a_model_is_removed(cache):
    store_tiny_model(cache)
    result = msdm("weights", "remove", "tiny")
    assert result.returncode == 0
    assert not (cache / "tiny").exists()
    assert [path.name for path in cache.iterdir() if not path.name.startswith(".")] == []


def test_what_ships_with_msdm_is_not_removed(cache):
    msdm("weights", "remove", "embedded").assert_two_lines("embedded ships with msdm")


def test_a_graph_of_what_ships_with_msdm_goes_elsewhere(cache):
    result = msdm("weights", "export")
    result.assert_two_lines("embedded ships with its graph", "--output PATH")


def test_a_graph_is_not_exported_in_bf16():
    result = msdm("weights", "export", "--precision", "bf16")
    result.assert_two_lines("--precision", "bf16 is none of fp32, fp16", returncode=2)


def test_an_export_says_how_far_it_is_from_pytorch(monkeypatch, tmp_path):
    asked = []

    def export_model(entry, path, precision):
        asked.append((entry.name, path, precision))
        return export.Export(path, path.with_name("mine.safetensors"), 1.5e-6, 3e-7)

    monkeypatch.setattr(export, "export_model", export_model)
    path = tmp_path / "mine.onnx"
    result = msdm("weights", "export", "-o", path, "--precision", "fp16")
    assert asked == [("embedded", path, "fp16")]
    assert result.stdout.splitlines() == [
        f"{path}: reads its weights from mine.safetensors",
        "largest difference from PyTorch: 1.5e-06 of the largest sample; RMS 3e-07",
    ]
