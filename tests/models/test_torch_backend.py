import numpy as np
import pytest
import torch

from msdm_cli.errors import BackendUnavailable
from msdm_cli.models.torch_backend import TorchDenoiser, resolve_device, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_is_the_best_that_is_there(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto").type == expected


def test_a_failure_of_torch_is_a_two_line_error():
    class Failing(torch.nn.Module):
        takes_mixture, shares_sigma = True, False

        def forward(self, *_):
            raise torch.OutOfMemoryError("CUDA out of memory.\nMore lines")

    with pytest.raises(BackendUnavailable, match="CUDA out of memory") as caught:
        TorchDenoiser(Failing(), CPU)(np.zeros((1, 4, 16)), np.zeros((1, 4)))
    assert "\n" not in caught.value.message


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


@pytest.mark.parametrize("batch", [2, 3, 5])
@pytest.mark.parametrize("told", [True, False])
def test_a_batch_that_does_not_fit_is_halved(batch, told):
    sizes = []

    class Small(torch.nn.Module):
        takes_mixture, shares_sigma = True, False

        def forward(self, x, sigma, mixture):
            sizes.append(len(x))
            if len(x) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return x * sigma[:, :, None] + (0 if mixture is None else mixture[:, None])

    rng = np.random.default_rng(0)
    x, sigma, mixture = (rng.standard_normal(shape, np.float32) for shape in ((batch, 4, 16), (batch, 4), (batch, 16)))
    found = TorchDenoiser(Small(), CPU)(x, sigma, mixture if told else None)
    np.testing.assert_allclose(found, x * sigma[:, :, None] + (mixture[:, None] if told else 0), rtol=1e-6)
    assert sizes.count(1) == batch
