import pytest
import torch

from msdm_cli.diffusion.conditioning import Condition, wiener_weights
from msdm_cli.diffusion.stft import Stft

# Float32 rounding through the transform and its inverse.
ROUNDING = 5e-6


@pytest.mark.parametrize("smoothing", [1, 5])
def test_wiener_shares_sum_to_the_mixture(smoothing):
    stems, mixture = torch.randn(2, 4, 8192), torch.randn(2, 8192)
    condition = Condition(mixture=mixture, stft=Stft(1024, 256), weights=wiener_weights(0.3, smoothing))
    torch.testing.assert_close(condition.project(stems, 0.5).sum(1), mixture, atol=ROUNDING, rtol=0)


def test_wiener_shares_favour_the_loud_stem():
    stems = torch.stack((torch.randn(1, 8192), torch.randn(1, 8192) * 1e-3), 1)
    mixture = stems.sum(1) + torch.randn(1, 8192)
    condition = Condition(mixture=mixture, stft=Stft(1024, 256), weights=wiener_weights(0.0))
    moved = (condition.project(stems, 0.5) - stems).square().sum(-1)[0]
    assert moved[0] > 1e4 * moved[1]


def test_the_residual_goes_to_unknown_stems_only():
    values, mixture = torch.randn(1, 4, 8192), torch.randn(1, 8192)
    known = torch.zeros(1, 4, 8192, dtype=torch.bool)
    known[:, 2] = True
    condition = Condition(mixture, values, known, Stft(1024, 256), wiener_weights(0.3))
    projected = condition.project(torch.randn(1, 4, 8192), 0.5)
    torch.testing.assert_close(projected[:, 2], values[:, 2], atol=ROUNDING, rtol=0)
    torch.testing.assert_close(projected.sum(1), mixture, atol=ROUNDING, rtol=0)


def test_values_without_known_are_refused():
    with pytest.raises(ValueError, match="together"):
        Condition(values=torch.zeros(1, 4, 8))


def test_weights_without_a_transform_are_refused():
    with pytest.raises(ValueError, match="together"):
        Condition(weights=wiener_weights(0.3))
