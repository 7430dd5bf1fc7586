import pytest
import torch

from msdm_cli.errors import BackendUnavailable
from msdm_cli.models.torch_backend import TorchDenoiser, resolve_device


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

    denoiser = TorchDenoiser(Failing(), torch.device("cpu"))
    with pytest.raises(BackendUnavailable, match="CUDA out of memory") as caught:
        denoiser(torch.zeros(1, 4, 16), torch.zeros(1, 4))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["cuda:99", "toaster", "", "meta"])
def test_a_device_that_is_not_there_is_never_replaced(name):
    with pytest.raises(BackendUnavailable):
        resolve_device(name)


def test_it_takes_tensors_of_any_device_and_gives_them_back_there(tiny_model):
    x = torch.randn(1, 4, 4096) * 0.1
    denoised = tiny_model.denoiser(x, torch.full((1, 4), 0.1))
    assert denoised.device == x.device
    assert not denoised.requires_grad


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

    x, sigma, mixture = torch.randn(batch, 4, 16), torch.rand(batch, 4), torch.randn(batch, 16)
    found = TorchDenoiser(Small(), torch.device("cpu"))(x, sigma, mixture if told else None)
    torch.testing.assert_close(found, x * sigma[:, :, None] + (mixture[:, None] if told else 0))
    assert sizes.count(1) == batch
