import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition, mixture_condition, wiener_weights
from msdm_cli.diffusion.stft import Stft

# Float32 rounding through the transform and its inverse.
ROUNDING = 5e-6


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_wiener_shares_sum_to_the_mixture():
    stems = draw(2, 4, 8192)
    mixture = draw(2, 8192, seed=1)
    condition = Condition(mixture=mixture, stft=Stft(1024, 256), weights=wiener_weights(0.3))
    projected = condition.project(stems, 0.5)
    assert projected.dtype == np.float32
    np.testing.assert_allclose(projected.sum(1), mixture, atol=ROUNDING)


def test_wiener_shares_favour_the_loud_stem():
    stems = np.stack((draw(1, 8192), draw(1, 8192, seed=1) * 1e-3), 1)
    mixture = stems.sum(1) + draw(1, 8192, seed=2)
    condition = Condition(mixture=mixture, stft=Stft(1024, 256), weights=wiener_weights(0.0))
    moved = np.square(condition.project(stems, 0.5) - stems).sum(-1)[0]
    assert moved[0] > 1e4 * moved[1]


def test_the_residual_goes_to_unknown_stems_only():
    values = draw(1, 4, 8192)
    mixture = draw(1, 8192, seed=1)
    known = np.zeros((1, 4, 8192), bool)
    known[:, 2] = True
    condition = Condition(mixture, values, known, Stft(1024, 256), wiener_weights(0.3))
    projected = condition.project(draw(1, 4, 8192, seed=2), 0.5)
    np.testing.assert_allclose(projected[:, 2], values[:, 2], atol=ROUNDING)
    np.testing.assert_allclose(projected.sum(1), mixture, atol=ROUNDING)


def test_values_without_known_are_refused():
    with pytest.raises(ValueError, match="together"):
        Condition(values=np.zeros((1, 4, 8)))


def test_weights_without_a_transform_are_refused():
    with pytest.raises(ValueError, match="together"):
        Condition(weights=wiener_weights(0.3))


def test_a_network_that_takes_the_mixture_needs_no_transform():
    mixture = draw(1, 8192)
    assert mixture_condition(mixture, takes_mixture=True).stft is None
    condition = mixture_condition(mixture, takes_mixture=False)
    # Silence says nothing about the stems, so their shares are equal.
    projected = condition.project(np.zeros((1, 4, 8192), np.float32), 0.5)
    np.testing.assert_allclose(projected, np.stack([mixture] * 4, 1) / 4, atol=ROUNDING)


@pytest.mark.parametrize("takes_mixture", [True, False])
def test_absent_stems_are_silent_and_the_others_sum_to_the_mixture(takes_mixture):
    mixture = draw(2, 8192)
    absent = np.array([False, True, False, True])
    condition = mixture_condition(mixture, takes_mixture=takes_mixture, absent=absent)
    np.testing.assert_array_equal(condition.unknown_stems(draw(2, 4, 8192)), [[1, 0, 1, 0]] * 2)
    projected = condition.project(draw(2, 4, 8192, seed=1), 0.5)
    assert projected.dtype == np.float32
    assert not projected[:, absent].any()
    np.testing.assert_allclose(projected.sum(1), mixture, atol=ROUNDING)


@pytest.mark.parametrize("absent", [None, np.zeros(4, bool)])
def test_without_absent_stems_nothing_is_known(absent):
    condition = mixture_condition(draw(1, 64), takes_mixture=True, absent=absent)
    assert condition.known is None
    assert condition.values is None
