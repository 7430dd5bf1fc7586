import onnxruntime
import pytest
import torch

from msdm_cli.backends import versions as module
from msdm_cli.backends.runtime import BACKENDS
from msdm_cli.backends.versions import UNKNOWN, WHEELS, find_versions


def test_they_are_those_of_the_packages():
    assert list(WHEELS) == list(BACKENDS)
    # A wheel of PyPI has no "+cu128" in its metadata, which the package itself says.
    assert torch.__version__.startswith(find_versions("torch")["torch"])
    assert find_versions("onnx") == {"onnxruntime": onnxruntime.__version__}


@pytest.mark.parametrize("wheel", module.ONNX_RUNTIMES)
def test_any_wheel_of_onnx_runtime_will_do(monkeypatch, wheel):
    def version(name):
        if name != wheel:
            raise module.PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(module, "version", version)
    assert find_versions("onnx") == {"onnxruntime": "1.2"}


def test_a_package_without_a_wheel_has_no_version(monkeypatch):
    monkeypatch.setattr(module, "WHEELS", {"torch": {"torch": ("no-such-wheel",)}})
    assert find_versions("torch") == {"torch": UNKNOWN}
