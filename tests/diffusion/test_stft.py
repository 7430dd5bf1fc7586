import pytest
import torch

from msdm_cli.diffusion.stft import Stft

# Float32 rounding (6e-8) through two transforms of length 1024 and a division by the window's sum.
ROUNDING = 2e-6


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (2048, 512), (64, 32)])
def test_the_inverse_is_exact_to_the_ends(n_fft, hop):
    x = torch.randn(2, 3, 16 * n_fft)
    stft = Stft(n_fft, hop)
    torch.testing.assert_close(stft.inverse(stft(x)), x, atol=ROUNDING, rtol=0)


def test_shape():
    assert Stft(1024, 256)(torch.zeros(2, 4, 2048)).shape == (2, 4, 2, 513, 8)


def test_white_noise_has_its_variance_in_every_bin():
    power = Stft(256, 64)(torch.randn(1, 1 << 18) * 0.5).square().sum(1)[0, 1:-1].mean(-1)
    # 4096 frames, about 1600 of them independent: standard error 2.5 %, five of them.
    torch.testing.assert_close(power, torch.full_like(power, 0.25), rtol=0.125, atol=0)


def test_double_precision_stays_double():
    x = torch.randn(1, 2048, dtype=torch.float64)
    stft = Stft(1024, 256)
    assert (stft.inverse(stft(x)) - x).abs().max() < 1e-6


def test_a_length_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="multiple of 256"):
        Stft(1024, 256)(torch.zeros(1, 1000))


def test_a_hop_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="divides"):
        Stft(1024, 300)
