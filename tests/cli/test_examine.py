import importlib.metadata
import shutil
from types import SimpleNamespace

import pytest

from msdm_cli.cli import examine as doctor
from msdm_cli.cli.examine import Finding, examine, measure_paces
from msdm_cli.errors import BackendUnavailable


def find(subject):
    return next(finding for finding in examine() if finding.subject == subject)


def install(monkeypatch, *names):
    wheels = [SimpleNamespace(metadata={"Name": name}, version="1.0") for name in names]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: wheels)


@pytest.mark.parametrize("names", [(), ("onnxruntime", "onnxruntime-gpu")])
def test_none_or_two_wheels_of_onnx_runtime_are_found(monkeypatch, names):
    install(monkeypatch, *names)
    finding = find("ONNX Runtime")
    assert "One must be there" in finding.remedy
    assert all(name in finding.told for name in names)


def test_one_wheel_of_onnx_runtime_is_well(monkeypatch):
    install(monkeypatch, "onnxruntime-gpu", "numpy")
    assert find("ONNX Runtime") == Finding("ONNX Runtime", "onnxruntime-gpu 1.0")


@pytest.mark.parametrize("driver", [True, False])
def test_cuda_that_fails_is_an_error_beside_a_driver_only(monkeypatch, driver):
    from msdm_cli.backends import onnx_backend

    def load(name, runtime):
        raise BackendUnavailable("no libcudart", "Install CUDA.")

    monkeypatch.setattr(onnx_backend, "list_devices", lambda: ["cpu", "cuda", "tensorrt"])
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi" if driver else None)
    monkeypatch.setattr(doctor, "load_model", load)
    findings = {finding.subject: finding for finding in examine()}
    assert findings["cpu (onnx)"].remedy
    assert findings["cuda (onnx)"].told == "no libcudart"
    assert bool(findings["cuda (onnx)"].remedy) == driver
    assert not findings["tensorrt (onnx)"].remedy


def test_a_damaged_model_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    assert not find("model embedded").remedy
    monkeypatch.setattr(
        doctor,
        "check_file",
        lambda entry, file: (_ for _ in ()).throw(BackendUnavailable("x", "y")),
    )
    assert find("model embedded").remedy == "y"


def test_a_full_disk_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "not yet" / "there"))
    for free, full in ((1 << 40, False), (1 << 20, True)):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free)
        )
        assert ("full" in find("cache").remedy) == full


def test_paces_follow_from_calls(monkeypatch, tiny_model):
    monkeypatch.setattr(doctor, "measure_call", lambda model, batch, length: 1.0)
    paces = {(pace.task, pace.quality): pace for pace in measure_paces(tiny_model)}
    spec = tiny_model.spec
    once = (spec.chunk_length - 2 * spec.context) / spec.sample_rate
    assert paces["separate", "fast"].times_real_time == pytest.approx(once)
    assert paces["generate", "default"].times_real_time == pytest.approx(once / 3)
