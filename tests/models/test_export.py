import dataclasses
import json

import numpy as np
import pytest
import torch
from conftest import lightning_checkpoint

from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import BackendUnavailable, ChecksumMismatch, InaccurateGraph, UnwritableWeights
from msdm_cli.models import export
from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.models.export import TOLERANCES, export_model
from msdm_cli.models.load import load
from msdm_cli.models.registry import ENTRY, find_entry


@pytest.fixture
def entry(tmp_path, monkeypatch):
    """A model of the paper's kind in a cache of its own."""
    pytest.importorskip("onnxscript")
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    torch.save(lightning_checkpoint()[1], tmp_path / "a.ckpt")
    return adopt_checkpoints("mine", [tmp_path / "a.ckpt"], "for a test", "none")


def list_files(entry):
    return sorted(path.name for path in entry.folder.iterdir())


def test_an_exported_model_runs_on_onnx(entry):
    with pytest.raises(BackendUnavailable, match="was not exported"):
        load("mine", Runtime("onnx"))
    made = export_model(entry, None, "fp32")
    assert 0 < made.rms_error <= made.max_error <= TOLERANCES["fp32"]
    assert list_files(entry) == sorted([ENTRY, "mine.json", "mine.onnx", "mine.safetensors"])
    model = load("mine", Runtime("onnx"))
    assert model.runtime == Runtime("onnx", "cpu", "fp32")
    exact = load("mine", Runtime("torch", "cpu", "fp32"))
    assert model.weights_sha256 == exact.weights_sha256
    x = np.random.default_rng(0).standard_normal((1, 4, 3 * model.spec.length_multiple))
    sigma = np.full((1, 4), 0.3)
    np.testing.assert_allclose(
        model.choose(0)(x, sigma), exact.choose(0)(x, sigma), atol=TOLERANCES["fp32"]
    )
    with pytest.raises(BackendUnavailable, match="exported in fp32"):
        load("mine", Runtime("onnx", precision="fp16"))


def test_a_graph_elsewhere_has_its_weights_beside_it(entry, tmp_path):
    before = list_files(entry)
    made = export_model(entry, tmp_path / "out" / "half.onnx", "fp16")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "half.onnx",
        "mine.safetensors",
    ]
    assert made.weights.read_bytes() == (entry.folder / "mine.safetensors").read_bytes()
    assert list_files(entry) == before
    assert find_entry("mine").onnx is None


def test_a_graph_is_not_written_over_weights(entry, tmp_path):
    weights = (entry.folder / "mine.safetensors").read_bytes()
    with pytest.raises(UnwritableWeights, match="is the name of the weights"):
        export_model(entry, tmp_path / "out" / "mine.safetensors", "fp32")
    assert (entry.folder / "mine.safetensors").read_bytes() == weights
    assert not (tmp_path / "out").exists()


def test_a_graph_that_gives_something_else_is_refused(entry, monkeypatch):
    class Wrong:
        def __init__(self, path, device):
            pass

        def __call__(self, x, sigma, mixture=None, told=None):
            return np.full(x.shape, np.nan, np.float32)

    before = list_files(entry)
    monkeypatch.setattr(export, "OnnxDenoiser", Wrong)
    with pytest.raises(InaccurateGraph, match="differs from PyTorch"):
        export_model(entry, None, "fp32")
    assert list_files(entry) == before


def test_what_ships_is_not_written_to(tmp_path):
    with pytest.raises(UnwritableWeights, match="ships with its graph"):
        export_model(find_entry("embedded"), None, "fp32")


def test_a_folder_that_cannot_be_written_is_said(entry, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableWeights, match="file"):
        export_model(entry, tmp_path / "file" / "graph.onnx", "fp32")


def test_a_graph_that_was_changed_is_refused(entry):
    export_model(entry, None, "fp32")
    path = entry.folder / "mine.onnx"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ChecksumMismatch):
        load("mine", Runtime("onnx"))
    record = json.loads((entry.folder / ENTRY).read_text())
    assert record["onnx"] == dataclasses.asdict(find_entry("mine").onnx)
