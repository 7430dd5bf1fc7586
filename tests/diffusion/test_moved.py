"""Averages over moved music."""

import numpy as np
import pytest

from msdm_cli.diffusion.moved import SHIFT, MovedDenoiser


class Framewise:
    """Keeps the first half of each frame of its input, so frames matter."""

    takes_mixture = True
    shares_sigma = False

    def __init__(self, period=1000):
        self.period = period
        self.inputs = []

    def __call__(self, x, sigma, mixture=None):
        self.inputs.append((x, mixture))
        kept = np.arange(x.shape[-1]) % self.period < self.period / 2
        return (x + mixture[:, None]) * kept


@pytest.fixture
def music():
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((2, 6000)))
    return np.fft.irfft(spectrum * (np.arange(3001) < 2500)).astype(np.float32)


@pytest.mark.parametrize(("index", "rounding"), [(0, 0), (3, 0), (1, 1e-6), (2, 1e-6)])
def test_an_answer_that_does_not_depend_on_frames_stays_the_same(music, index, rounding):
    x = np.stack([music, 2 * music], 1)
    sigma = np.ones((2, 2))
    moved = MovedDenoiser(Framewise(period=1e9), index, 100)
    np.testing.assert_allclose(
        moved(x, sigma, music), x + music[:, None], rtol=0, atol=rounding * np.abs(x).max()
    )


def test_the_network_gets_the_music_later_and_reversed(music):
    x = np.stack([music] * 2, 1)
    sigma = np.ones((2, 2))
    inner = Framewise()
    found = MovedDenoiser(inner, 3, 100)(x, sigma, music)
    moved_x, moved_mixture = inner.inputs[0]
    np.testing.assert_array_equal(moved_mixture, -np.roll(music, 3 * SHIFT, 1))
    np.testing.assert_array_equal(moved_x, -np.roll(x, 3 * SHIFT, 2))
    assert (found != Framewise()(x, sigma, music)).any()
    np.testing.assert_array_equal(found[found != 0], (2 * x)[found != 0])


@pytest.mark.parametrize(("index", "length"), [(1, 6400), (2, 5600)])
def test_the_network_gets_the_music_slower_and_faster(index, length):
    tone = np.cos(2 * np.pi * 120 / 6000 * np.arange(6000), dtype=np.float32)[None]
    inner = Framewise()
    MovedDenoiser(inner, index, 400)(tone[:, None], np.ones((1, 1)), tone)
    played = inner.inputs[0][1][0]
    assert len(played) == length
    spectrum = np.abs(np.fft.rfft(played))
    assert spectrum.argmax() == 120  # the same number of periods in another time
    assert np.abs(played).max() == pytest.approx(1, rel=1e-3)


def test_a_network_without_the_mixture_gets_none(music):
    class Silent(Framewise):
        def __call__(self, x, sigma, mixture=None):
            assert mixture is None
            return x

    x = music[:, None]
    np.testing.assert_array_equal(MovedDenoiser(Silent(), 3, 100)(x, np.ones((2, 1))), x)
