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
def test_a_compiled_network_gives_the_same_for_any_length_in_any_thread():
    plain, compiled = TorchDenoiser(tiny_network(), CPU), TorchDenoiser(tiny_network(), CPU, compiled=True)
    rng, multiple = np.random.default_rng(0), tiny_network().config.length_multiple
    with ThreadPoolExecutor(1) as thread:
        for multiples, told in ((2, True), (3, True), (4, True), (2, False)):
            x, sigma = rng.standard_normal((1, 4, multiples * multiple), np.float32), np.full((1, 4), 0.5, np.float32)
            mixture = x.sum(1) if told else None
            found = thread.submit(compiled, x, sigma, mixture).result()
            np.testing.assert_allclose(found, plain(x, sigma, mixture), atol=1e-5)
            np.testing.assert_array_equal(found, compiled(x, sigma, mixture))


def test_where_nothing_can_be_compiled_it_is_said_and_done_without(monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("no C++ compiler\nfound")

    monkeypatch.setattr(torch, "compile", lambda function: fail)
    model = load_model("embedded", Runtime("torch", "cpu", compiled=True))
    assert not model.runtime.compiled
    assert "no C++ compiler" in caplog.text
    assert "found" not in caplog.text
    silence = np.zeros((1, 4, 2048), np.float32)
    assert np.isfinite(model.denoiser(silence, np.ones((1, 4), np.float32))).all()
