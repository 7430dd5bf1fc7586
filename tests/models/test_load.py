import json
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from msdm_cli.backends import torch_backend
from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import (
    BackendUnavailable,
    ChecksumMismatch,
    IncompatibleCheckpoint,
    MissingWeights,
    UnknownWeights,
)
from msdm_cli.models import registry
from msdm_cli.models.load import load_model
from msdm_cli.models.registry import weights_folder


@pytest.fixture
def copied_weights(tmp_path, monkeypatch):
    """A copy of the shipped weights that a test may break."""
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder)
    monkeypatch.setattr(registry, "weights_folder", lambda: folder)
    return folder


def test_the_embedded_model_separates_into_finite_stems_that_sum():
    model = load_model("embedded", Runtime(device="cpu"))
    mixture = 0.1 * np.random.default_rng(0).standard_normal((1, 4 * model.spec.length_multiple))
    sigma = np.full((1, 4), model.spec.sigma_max)
    stems = model.denoiser(np.zeros((1, 4, mixture.shape[1])), sigma, mixture)
    # Float32 rounding of the transforms.
    np.testing.assert_allclose(stems.sum(1), mixture, atol=5e-6)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownWeights) as caught:
        load_model("nonsense", Runtime())
    assert "embedded" in caught.value.hint


def test_a_missing_file_is_an_error(copied_weights):
    (copied_weights / "embedded.safetensors").unlink()
    with pytest.raises(MissingWeights):
        load_model("embedded", Runtime(device="cpu"))


def test_a_changed_file_is_an_error(copied_weights):
    path = copied_weights / "embedded.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumMismatch):
        load_model("embedded", Runtime(device="cpu"))


def test_weights_that_do_not_fit_their_spec_are_an_error(copied_weights, monkeypatch):
    path = copied_weights / "embedded.safetensors"
    tensors = load_file(path)
    tensors.pop("sd")
    save_file(tensors, path)
    entries = json.loads((copied_weights / "registry.json").read_text())
    entries["embedded"]["weights"]["sha256"] = (
        __import__("hashlib").sha256(path.read_bytes()).hexdigest()
    )
    (copied_weights / "registry.json").write_text(json.dumps(entries))
    with pytest.raises(IncompatibleCheckpoint, match="does not fit"):
        load_model("embedded", Runtime(device="cpu"))


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_several_devices_are_the_same_network_several_times(backend):
    model = load_model("embedded", Runtime(backend, "cpu,cpu"))
    assert (model.devices, model.runtime.device) == (2, "cpu,cpu")
    first, second = model.choose(6), model.choose(7)
    assert first is model.denoiser
    assert first is not second
    x, sigma = np.random.default_rng(0).standard_normal((1, 4, 8192)), np.ones((1, 4))
    np.testing.assert_array_equal(first(x, sigma), second(x, sigma))


def test_devices_that_would_compute_differently_are_refused(monkeypatch):
    precisions = iter(["bf16", "fp32"])
    monkeypatch.setattr(torch_backend, "resolve_precision", lambda name, device: next(precisions))
    with pytest.raises(BackendUnavailable, match="would compute in bf16, another device in fp32"):
        load_model("embedded", Runtime("torch", "cpu,cpu"))


@pytest.mark.parametrize("device", ["cpu,cuda:99", "cpu,", ","])
def test_one_device_that_is_not_there_is_enough_to_refuse(device):
    with pytest.raises(BackendUnavailable):
        load_model("embedded", Runtime("torch", device))
