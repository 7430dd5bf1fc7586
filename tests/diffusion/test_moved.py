"""Averages over moved music."""

import numpy as np
import pytest

from msdm_cli.diffusion.moved import SHIFT, MovedDenoiser


class Framewise:
    """Keeps the first half of each frame, of the sum of what it is given: it is not indifferent to where frames lie."""

    takes_mixture, shares_sigma = True, False

    def __init__(self, period=1000):
        self.period, self.heard = period, []

    def __call__(self, x, sigma, mixture=None):
        self.heard.append((x, mixture))
        kept = np.arange(x.shape[-1]) % self.period < self.period / 2
        return (x + mixture[:, None]) * kept


@pytest.fixture
def music():
    return np.random.default_rng(0).standard_normal((2, 6000)).astype(np.float32)


def test_what_does_not_depend_on_frames_stays(music):
    x, sigma = np.stack([music, 2 * music], 1), np.ones((2, 2))
    for index in range(4):
        moved = MovedDenoiser(Framewise(period=SHIFT), index)
        np.testing.assert_array_equal(moved(x, sigma, music), Framewise(period=SHIFT)(x, sigma, music))


def test_music_is_heard_later_and_reversed(music):
    x, sigma, inner = np.stack([music] * 2, 1), np.ones((2, 2)), Framewise()
    found = MovedDenoiser(inner, 1)(x, sigma, music)
    heard_x, heard_mixture = inner.heard[0]
    np.testing.assert_array_equal(heard_mixture, -np.roll(music, SHIFT, 1))
    np.testing.assert_array_equal(heard_x, -np.roll(x, SHIFT, 2))
    assert (found != Framewise()(x, sigma, music)).any()
    np.testing.assert_array_equal(found[found != 0], (2 * x)[found != 0])


def test_a_network_that_is_not_told_the_mixture_is_not(music):
    class Silent(Framewise):
        def __call__(self, x, sigma, mixture=None):
            assert mixture is None
            return x

    x = music[:, None]
    np.testing.assert_array_equal(MovedDenoiser(Silent(), 3)(x, np.ones((2, 1))), x)
