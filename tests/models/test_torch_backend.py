import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from conftest import tiny_network

from msdm_cli.errors import BackendUnavailable, DeviceFull
from msdm_cli.models.load import load_model
from msdm_cli.models.runtime import Runtime
from msdm_cli.models.torch_backend import TorchDenoiser, resolve_device, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_is_the_best_that_is_there(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto").type == expected


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory.\nMore lines"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you"),
            True,
        ),
        (RuntimeError("cuDNN error"), False),
    ],
)
def test_a_failure_of_torch_is_a_two_line_error(error, full):
    sizes = []

    class Failing(torch.nn.Module):
        takes_mixture, shares_sigma = True, False

        def forward(self, x, *_):
            sizes.append(len(x))
            raise error

    with pytest.raises(DeviceFull if full else BackendUnavailable, match=re.escape(str(error)[:10])) as caught:
        TorchDenoiser(Failing(), CPU)(np.zeros((2, 4, 16)), np.zeros((2, 4)))
    assert "\n" not in caught.value.message
    assert sizes == [1]  # one by one on a CPU


@pytest.mark.parametrize("name", ["cuda:99", "toaster", "", "meta"])
def test_a_device_that_is_not_there_is_never_replaced(name):
    with pytest.raises(BackendUnavailable):
        resolve_device(name)


@pytest.mark.parametrize(("tiles", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_is_bf16_where_the_cpu_multiplies_it(monkeypatch, tiles, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert resolve_precision("auto", CPU) == expected
    assert resolve_precision("fp16", CPU) == "fp16"


@pytest.mark.parametrize(("supported", "expected"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_that_lacks_bf16_does_not_pretend(monkeypatch, supported, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    assert resolve_precision("auto", torch.device("cuda")) == expected
    if not supported:
        with pytest.raises(BackendUnavailable, match="bf16"):
            resolve_precision("bf16", torch.device("cuda"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_compiled_network_gives_the_same_in_any_order_and_thread(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    length = 3 * tiny_network().config.length_multiple
    rng = np.random.default_rng(0)
    x, sigma = rng.standard_normal((1, 4, length), np.float32), np.full((1, 4), 0.5, np.float32)
    plain, found = TorchDenoiser(tiny_network(), CPU), []
    for before in ((), (length // 3, 2 * length // 3)):
        torch._dynamo.reset()
        compiled = TorchDenoiser(tiny_network(), CPU, compiled=length)
        for shorter in before:
            part = x[..., :shorter]
            np.testing.assert_array_equal(compiled(part, sigma), plain(part, sigma))
        with ThreadPoolExecutor(2) as threads:
            found += threads.map(compiled, [x] * 3, [sigma] * 3, [x.sum(1)] * 3)
    for stems in found:
        np.testing.assert_array_equal(stems, found[0])
    np.testing.assert_allclose(found[0], plain(x, sigma, x.sum(1)), atol=1e-5)
    assert not np.array_equal(found[0], plain(x, sigma, x.sum(1)))  # it was compiled


def test_where_nothing_can_be_compiled_the_error_says_so(monkeypatch):
    class Failing(torch.nn.Module):
        takes_mixture, shares_sigma = True, False

        def forward(self, x, *_):
            return x

    def fail(*_):
        error = RuntimeError("backend='inductor' raised:\nNo C++ compiler")
        error.inner_exception = OSError("No C++ compiler")
        raise error

    monkeypatch.setattr(torch, "compile", lambda network, dynamic: fail)
    denoiser = TorchDenoiser(Failing(), CPU, compiled=16)
    assert denoiser(np.zeros((1, 4, 8), np.float32), np.zeros((1, 4))).shape == (1, 4, 8)
    with pytest.raises(BackendUnavailable, match="No C\\+\\+ compiler") as caught:
        denoiser(np.zeros((1, 4, 16), np.float32), np.zeros((1, 4)))
    assert "--compile" in caught.value.hint


def test_what_is_compiled_is_told():
    model = load_model("embedded", Runtime("torch", "cpu", compiled=True))
    assert model.runtime.compiled
    assert str(model.runtime) == "cpu, torch, fp32, compiled"
    with pytest.raises(ValueError, match="torch"):
        Runtime("onnx", compiled=True)
