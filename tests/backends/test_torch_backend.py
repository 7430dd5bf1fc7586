import contextlib
import re

import numpy as np
import pytest
import torch

from msdm_cli.backends.torch_backend import TorchDenoiser, resolve_device, resolve_precision
from msdm_cli.errors import BackendUnavailable, DeviceFull

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
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"
            ),
            True,
        ),
        (RuntimeError("cuDNN error"), False),
    ],
)
def test_a_failure_of_torch_is_a_two_line_error(error, full):
    sizes = []

    class Failing(torch.nn.Module):
        takes_mixture = True
        shares_sigma = False
        channels = 1

        def forward(self, x, *_):
            sizes.append(len(x))
            raise error

    with pytest.raises(
        DeviceFull if full else BackendUnavailable, match=re.escape(str(error)[:10])
    ) as caught:
        TorchDenoiser(Failing(), CPU)(np.zeros((2, 4, 16)), np.zeros((2, 4)))
    assert "\n" not in caught.value.message
    assert sizes == [1]  # one by one on a CPU


@pytest.mark.parametrize(("largest", "expected"), [(3, [3]), (2, [3, 2, 1]), (1, [3, 2, 1, 1, 1])])
def test_a_gpu_takes_as_much_of_a_batch_as_fits(monkeypatch, largest, expected):
    sizes = []

    class Small(torch.nn.Module):
        takes_mixture = True
        shares_sigma = False
        channels = 1

        def forward(self, x, *_):
            sizes.append(len(x))
            if len(x) > largest:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return 2 * x

    denoiser = TorchDenoiser(Small(), CPU)
    monkeypatch.setattr(denoiser, "device", torch.device("cuda"))
    monkeypatch.setattr(
        denoiser, "_move", lambda samples: torch.from_numpy(np.array(samples, np.float32))
    )
    x = np.random.default_rng(0).standard_normal((3, 4, 16), np.float32)
    np.testing.assert_array_equal(denoiser(x, np.ones((3, 4))), 2 * x)
    assert sizes == expected


@pytest.mark.parametrize("name", ["cuda:99", "cpu:3", "toaster", "", "meta"])
def test_a_device_that_is_not_there_is_never_replaced(name):
    with pytest.raises(BackendUnavailable):
        resolve_device(name)


@pytest.mark.parametrize(
    ("cpu", "avx512_bf16", "amx", "expected"),
    [
        ("AMD EPYC", True, False, "bf16"),
        ("AMD EPYC", False, False, "fp32"),
        ("Intel Xeon", True, True, "bf16"),
        ("Intel Xeon", True, False, "fp32"),
        ("Intel Xeon", False, False, "fp32"),
    ],
)
def test_auto_is_bf16_where_the_cpu_is_fast_at_it(monkeypatch, cpu, avx512_bf16, amx, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": cpu}, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert resolve_precision("auto", CPU) == expected
    assert resolve_precision("fp16", CPU) == "fp16"


@pytest.mark.parametrize(("supported", "expected"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_that_lacks_bf16_does_not_pretend(monkeypatch, supported, expected):
    asked = []
    monkeypatch.setattr(
        torch.cuda, "device", lambda device: contextlib.nullcontext(asked.append(device))
    )
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    second = torch.device("cuda:1")
    assert resolve_precision("auto", second) == expected
    assert asked == [second]
    if not supported:
        with pytest.raises(BackendUnavailable, match="bf16"):
            resolve_precision("bf16", second)
