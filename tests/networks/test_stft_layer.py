"""The transform as a layer is the transform of the sampler."""

import numpy as np
import pytest
import torch

from msdm_cli.diffusion.stft import Stft as PlainStft
from msdm_cli.networks.matrix_stft import MatrixStft
from msdm_cli.networks.stft_layer import StftLayer

# Float32 rounding: of a fast Fourier transform of 1024 samples, and of sums of 1024 products.
FAST = 2e-6
SUMS = 2e-5
LAYERS = [pytest.param(StftLayer, FAST, id="layer"), pytest.param(MatrixStft, SUMS, id="matrices")]


@pytest.fixture
def signal():
    return np.random.default_rng(0).standard_normal((2, 3, 8192), np.float32)


@pytest.mark.parametrize(("layer", "rounding"), LAYERS)
def test_it_is_the_same_transform(layer, rounding, signal):
    parts = layer(1024, 256)(torch.from_numpy(signal)).numpy()
    expected = PlainStft(1024, 256)(signal)
    np.testing.assert_allclose(parts[:, :, 0], expected.real.swapaxes(2, 3), atol=rounding)
    np.testing.assert_allclose(parts[:, :, 1], expected.imag.swapaxes(2, 3), atol=rounding)


@pytest.mark.parametrize(("layer", "rounding"), LAYERS)
def test_the_inverse_is_exact_to_the_ends(layer, rounding, signal):
    stft = layer(1024, 256)
    x = torch.from_numpy(signal)
    torch.testing.assert_close(stft.inverse(stft(x)), x, atol=rounding, rtol=0)


def test_a_length_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="multiple of 256"):
        StftLayer(1024, 256)(torch.zeros(1, 1000))


def test_a_hop_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="divides"):
        StftLayer(1024, 300)
