import pytest
import torch

from msdm_cli.errors import BackendUnavailable
from msdm_cli.models.torch_backend import resolve_device


def test_auto_is_what_is_there():
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else resolve_device("auto").type)
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:99", "toaster", "", "meta"])
def test_a_device_that_is_not_there_is_never_replaced(name):
    with pytest.raises(BackendUnavailable):
        resolve_device(name)


def test_it_takes_tensors_of_any_device_and_gives_them_back_there(tiny_model):
    x = torch.randn(1, 4, 4096) * 0.1
    denoised = tiny_model.denoiser(x, torch.full((1, 4), 0.1))
    assert denoised.device == x.device
    assert not denoised.requires_grad
