"""Products with matrices give the transform of the layer."""

import torch

from msdm_cli.networks.matrix_stft import MatrixStft
from msdm_cli.networks.stft_layer import StftLayer

# Float32 rounding of sums of 1024 products.
ROUNDING = 2e-5


def test_it_is_the_same_transform():
    x = torch.randn(2, 3, 8192, generator=torch.Generator().manual_seed(0))
    parts = MatrixStft(1024, 256)(x)
    torch.testing.assert_close(parts, StftLayer(1024, 256)(x), atol=ROUNDING, rtol=0)


def test_the_inverse_is_exact_to_the_ends():
    x = torch.randn(2, 3, 8192, generator=torch.Generator().manual_seed(0))
    stft = MatrixStft(1024, 256)
    torch.testing.assert_close(stft.inverse(stft(x)), x, atol=ROUNDING, rtol=0)
