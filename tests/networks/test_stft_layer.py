"""The transform as a layer is the transform of the samplers."""

import numpy as np
import pytest
import torch

from msdm_cli.diffusion.stft import Stft
from msdm_cli.networks.stft_layer import StftLayer

# Float32 rounding of a fast Fourier transform of 1024 samples.
ROUNDING = 2e-6


@pytest.fixture
def signal():
    return np.random.default_rng(0).standard_normal((2, 3, 8192), np.float32)


def test_it_is_the_same_transform(signal):
    parts = StftLayer(1024, 256)(torch.from_numpy(signal)).numpy()
    expected = Stft(1024, 256)(signal)
    np.testing.assert_allclose(parts[:, :, 0], expected.real.swapaxes(2, 3), atol=ROUNDING)
    np.testing.assert_allclose(parts[:, :, 1], expected.imag.swapaxes(2, 3), atol=ROUNDING)


def test_the_inverse_is_exact_to_the_ends(signal):
    stft = StftLayer(1024, 256)
    x = torch.from_numpy(signal)
    torch.testing.assert_close(stft.inverse(stft(x)), x, atol=ROUNDING, rtol=0)


def test_it_has_gradients(signal):
    x = torch.from_numpy(signal).requires_grad_()
    StftLayer(1024, 256)(x).square().sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad != 0).any()


def test_a_length_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="multiple of 256"):
        StftLayer(1024, 256)(torch.zeros(1, 1000))


def test_a_hop_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="divides"):
        StftLayer(1024, 300)
