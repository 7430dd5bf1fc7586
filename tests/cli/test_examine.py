import importlib.metadata
import shutil
from types import SimpleNamespace

import pytest
import soundfile
from run_msdm import store_tiny_model

from msdm_cli.backends import onnx_backend
from msdm_cli.cli import examine as module
from msdm_cli.cli.examine import Finding, examine, measure_paces
from msdm_cli.errors import BackendUnavailable
from msdm_cli.jobs import estimate


@pytest.fixture(autouse=True)
def tiny_load(monkeypatch, tiny_model):
    """Devices are tried with a small model."""
    monkeypatch.setattr(module, "load", lambda name, runtime: tiny_model)


def find(subject):
    return next(finding for finding in examine() if finding.subject == subject)


def install(monkeypatch, *names):
    wheels = [SimpleNamespace(metadata={"Name": name}, version="1.0") for name in names]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: wheels)


def test_formats_that_an_old_libsndfile_lacks_are_left_out(monkeypatch):
    assert find("sound files").description.endswith("wav, flac, ogg, mp3, opus, aiff, caf")
    monkeypatch.setattr(soundfile, "check_format", lambda name, subtype: name != "MP3")
    assert find("sound files").description.endswith("wav, flac, ogg, opus, aiff, caf")


@pytest.mark.parametrize("names", [(), ("onnxruntime", "onnxruntime-gpu")])
def test_none_or_two_wheels_of_onnx_runtime_are_found(monkeypatch, names):
    install(monkeypatch, *names)
    finding = find("ONNX Runtime")
    assert "Install exactly one" in finding.remedy
    assert all(name in finding.description for name in names)


def test_one_wheel_of_onnx_runtime_is_well(monkeypatch):
    install(monkeypatch, "onnxruntime-gpu", "numpy")
    assert find("ONNX Runtime") == Finding("ONNX Runtime", "onnxruntime-gpu 1.0")


def test_cuda_that_fails_is_an_error_beside_a_gpu(monkeypatch):
    def load(name, runtime):
        raise BackendUnavailable("no libcudart", "Install CUDA.")

    monkeypatch.setattr(onnx_backend, "list_devices", lambda: ["cpu", "cuda", "tensorrt"])
    monkeypatch.setattr(module, "has_nvidia", lambda: True)
    monkeypatch.setattr(module, "load", load)
    findings = {finding.subject: finding for finding in examine()}
    assert findings["cpu (onnx)"].remedy.startswith("Install CUDA.")
    assert findings["cuda (onnx)"].description == "no libcudart"
    assert findings["cuda (onnx)"].remedy.startswith("Install CUDA.")
    assert not findings["tensorrt (onnx)"].remedy
    assert "NVIDIA GPU" not in findings


def test_a_machine_without_an_nvidia_gpu_says_so_in_one_line(monkeypatch):
    monkeypatch.setattr(onnx_backend, "list_devices", lambda: ["cpu", "cuda", "tensorrt"])
    monkeypatch.setattr(module, "has_nvidia", lambda: False)
    findings = list(examine())
    about = [item for item in findings if "cuda" in f"{item.subject} {item.description}".lower()]
    text = "none on this machine, so cuda and tensorrt were not tried"
    assert about == [Finding("NVIDIA GPU", text)]


def test_a_driver_is_an_nvidia_gpu(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert module.has_nvidia()


def test_a_damaged_model_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    store_tiny_model(tmp_path)
    assert find("model embedded").description.endswith("undamaged, with a graph for ONNX Runtime")
    assert find("model tiny").description.endswith("undamaged, without a graph for ONNX Runtime")
    (path,) = (tmp_path / "tiny").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    finding = find("model tiny")
    assert "sha256" in finding.description
    assert finding.remedy


def test_a_full_disk_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "not yet" / "there"))
    for free, full in ((1 << 40, False), (1 << 20, True)):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free)
        )
        assert ("full" in find("cache").remedy) == full


def test_paces_follow_from_calls(monkeypatch, tiny_model):
    monkeypatch.setattr(estimate, "measure_call", lambda *arguments: 1.0)
    paces = {(pace.task, pace.quality): pace for pace in measure_paces(tiny_model)}
    assert list(paces) == [
        ("separate", "fast"),
        ("separate", "default"),
        ("impute", "default"),
        ("generate", "default"),
    ]
    spec = tiny_model.spec
    kept_seconds = (spec.chunk_length - 2 * spec.context) / spec.sample_rate
    assert paces["separate", "fast"].times_real_time == pytest.approx(kept_seconds)
    assert paces["generate", "default"].times_real_time == pytest.approx(kept_seconds / 3)
