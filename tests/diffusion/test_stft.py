import numpy as np
import pytest

from msdm_cli.diffusion.stft import Stft

# Float32 rounding (6e-8) through two transforms of length 1024 and a division by the window's sum.
ROUNDING = 2e-6


def draw(*shape, dtype=np.float32):
    return np.random.default_rng(0).standard_normal(shape, dtype)


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (2048, 512), (64, 32)])
def test_the_inverse_is_exact_to_the_ends(n_fft, hop):
    x = draw(2, 3, 16 * n_fft)
    stft = Stft(n_fft, hop)
    np.testing.assert_allclose(stft.inverse(stft(x)), x, atol=ROUNDING)


@pytest.mark.parametrize(
    ("dtype", "transformed"),
    [(np.float32, np.complex64), (np.float64, np.complex128)],
    ids=["single", "double"],
)
def test_shape_and_precision(dtype, transformed):
    stft = Stft(1024, 256)
    found = stft(np.zeros((2, 4, 2048), dtype))
    assert (found.shape, found.dtype) == ((2, 4, 8, 513), transformed)
    assert stft.inverse(found).dtype == dtype


def test_white_noise_has_its_variance_in_every_bin():
    power = np.square(np.abs(Stft(256, 64)(draw(1 << 18) * 0.5)))[:, 1:-1].mean(0)
    # 4096 frames, about 1600 of them independent: standard error 2.5 %, five of them.
    np.testing.assert_allclose(power, 0.25, rtol=0.125)


def test_double_precision_is_exact_to_double():
    x = draw(1, 2048, dtype=np.float64)
    stft = Stft(1024, 256)
    assert np.abs(stft.inverse(stft(x)) - x).max() < 1e-12


def test_a_length_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="multiple of 256"):
        Stft(1024, 256)(np.zeros((1, 1000)))


def test_a_hop_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="divides"):
        Stft(1024, 300)
