"""Answers to turned stereo music, and the best of several."""

import itertools
import math

import numpy as np
import pytest

from msdm_cli.diffusion.stft import Stft
from msdm_cli.diffusion.turned import (
    ANGLES,
    HOP,
    LEAST_ERROR,
    LEAST_POWER,
    N_FFT,
    TILE,
    TurnedDenoiser,
    combine,
    is_stereo,
    turn,
)

RNG = np.random.default_rng(0)
LENGTH = 20 * HOP + 100
MUSIC = RNG.standard_normal((2, 640), np.float32)
X = np.stack([3 * MUSIC, -MUSIC], 1)
SIGMA = np.ones((2, 2), np.float32)


class Squaring:
    """Its first stem is the square of the mixture, so it matters which channels it gets."""

    takes_mixture = True
    shares_sigma = False

    def __init__(self):
        self.inputs = []

    def __call__(self, x, sigma, mixture=None):
        self.inputs.append((x, sigma, mixture))
        return np.stack([mixture**2, mixture - mixture**2], 1)


def test_an_eighth_of_a_circle_is_middle_and_sides():
    network = Squaring()
    found = TurnedDenoiser(network, math.pi / 4)(X, SIGMA, MUSIC)
    middle, sides = (MUSIC[0] + MUSIC[1]) / 2**0.5, (MUSIC[1] - MUSIC[0]) / 2**0.5
    ((x, sigma, mixture),) = network.inputs
    np.testing.assert_allclose(mixture, np.stack([middle, sides]), atol=1e-6)
    np.testing.assert_allclose(x[:, 0], 3 * mixture, atol=2e-6)
    np.testing.assert_allclose(x[:, 1], -mixture, atol=1e-6)
    assert sigma is SIGMA
    np.testing.assert_allclose(found[0, 0], (middle**2 - sides**2) / 2**0.5, atol=1e-5)
    np.testing.assert_allclose(found[1, 0], (middle**2 + sides**2) / 2**0.5, atol=1e-5)
    np.testing.assert_allclose(found.sum(1), MUSIC, atol=5e-6)


@pytest.mark.parametrize("angle", ANGLES)
def test_what_is_turned_and_turned_back_is_as_before_and_as_loud(angle):
    turned = turn(MUSIC, angle)
    np.testing.assert_allclose(turn(turned, -angle), MUSIC, atol=1e-6)
    assert np.square(turned).sum() == pytest.approx(np.square(MUSIC).sum(), rel=1e-5)
    assert turned.dtype == np.float32


def test_a_network_without_the_mixture_gets_none():
    class Doubling:
        takes_mixture = False
        shares_sigma = True

        def __call__(self, x, sigma, mixture=None):
            assert mixture is None
            return 2 * x

    denoiser = TurnedDenoiser(Doubling(), 1.0)
    assert (denoiser.takes_mixture, denoiser.shares_sigma) == (False, True)
    np.testing.assert_allclose(denoiser(X, SIGMA), 2 * X, atol=2e-6)


@pytest.mark.parametrize(
    ("mixture", "expected"),
    [
        (MUSIC, True),
        (MUSIC[:1], False),
        (np.repeat(MUSIC[:1], 2, 0), False),
        (np.vstack([MUSIC, MUSIC[:1]]), False),
        (None, False),
    ],
)
def test_stereo_is_two_channels_that_differ(mixture, expected):
    assert is_stereo(mixture) is expected


def make_stems(places):
    """White stems at angles of the stereo image, ``[2, S, T]``."""
    sounds = RNG.standard_normal((len(places), LENGTH), np.float32)
    directions = np.stack([np.cos(places), np.sin(places)]).astype(np.float32)
    return directions[:, :, None] * sounds


def estimate(stems, angle):
    """What equal shares of the sum of the channels would give, where each stem sounds there."""
    heard = turn(stems, angle)
    power = np.square(heard).mean(-1, keepdims=True)
    share = power / power.sum(1, keepdims=True)
    return turn((share * heard.sum(1, keepdims=True)).astype(np.float32), -angle)


def error(found, stems):
    return float(np.square(found - stems).mean())


def combine_densely(estimates, angles):
    """The formula, tile by tile, with matrices in double precision."""
    stft = Stft(N_FFT, HOP)
    padding = [(0, 0), (0, 0), (0, -estimates[0].shape[-1] % HOP)]
    transforms = [stft(np.pad(one, padding).astype(np.float64)) for one in estimates]
    rotations = [
        np.array([[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]]) for t in angles
    ]
    powers = [
        np.abs(np.einsum("cd,dsfb->csfb", rotation, one)) ** 2
        for rotation, one in zip(rotations, transforms, strict=True)
    ]
    found = np.zeros_like(transforms[0])
    _, stems, frames, bins = found.shape
    for first, low in itertools.product(range(0, frames, TILE[0]), range(0, bins, TILE[1])):
        tile = slice(first, first + TILE[0]), slice(low, low + TILE[1])
        for stem in range(stems):
            precisions = []
            for rotation, power in zip(rotations, powers, strict=True):
                p = power[(slice(None), stem, *tile)].mean((1, 2))
                q = power[(slice(None), slice(None), *tile)].mean((2, 3)).sum(1)
                u = p * (q - p) / q + LEAST_ERROR * q + LEAST_POWER * find_mean(power)
                precisions.append(rotation.T @ np.diag(1 / u) @ rotation)
            whole = np.linalg.inv(sum(precisions))
            for precision, one in zip(precisions, transforms, strict=True):
                part = one[(slice(None), stem, *tile)]
                found[(slice(None), stem, *tile)] += np.einsum(
                    "cd,dfb->cfb", whole @ precision, part
                )
    return stft.inverse(found)[..., : estimates[0].shape[-1]]


def find_mean(power):
    """Mean power of a channel of the chunk, over its tiles."""
    tiles = [
        power[..., first : first + TILE[0], low : low + TILE[1]].mean((2, 3)).sum(1)
        for first in range(0, power.shape[2], TILE[0])
        for low in range(0, power.shape[3], TILE[1])
    ]
    return np.mean(tiles)


@pytest.mark.parametrize("count", [2, 4])
def test_it_is_the_formula_with_matrices(count):
    stems = make_stems([0.2, 0.9, 1.4])
    stems[:, 1, ::2] *= 0.1
    estimates = [estimate(stems, angle) for angle in ANGLES[:count]]
    expected = combine_densely(estimates, ANGLES[:count])
    np.testing.assert_allclose(combine(estimates, ANGLES[:count]), expected, atol=2e-5)


def test_a_channel_without_sound_stays_so():
    class Skewed:
        """Answers that are no odd function of the music leave a rest when they are turned back."""

        takes_mixture = True
        shares_sigma = False

        def __call__(self, x, sigma, mixture=None):
            part = 0.4 * mixture + 0.05 * np.abs(mixture)
            return np.stack([part, mixture - part], 1)

    tile = TILE[0] * HOP
    music = np.stack([RNG.standard_normal(3 * tile), np.zeros(3 * tile)]).astype(np.float32)
    music[1, 2 * tile :] = 1
    for mixture in (music, music[:, :tile]):
        estimates = [
            TurnedDenoiser(Skewed(), angle)(np.stack([mixture] * 2, 1), SIGMA, mixture)
            for angle in ANGLES
        ]
        assert np.abs(estimates[1][1]).max() > 0.01
        assert np.abs(combine(estimates, ANGLES)[1, :, : tile - N_FFT]).max() < 1e-6


def test_each_stem_is_taken_from_where_it_is_alone():
    # The second and third stem are alone in the sides and in the middle.
    stems = make_stems([math.pi / 4, 3 * math.pi / 4])
    estimates = [estimate(stems, angle) for angle in ANGLES[:2]]
    assert error(estimates[1], stems) < 1e-6
    assert error(estimates[0], stems) > 0.2
    # LEAST_ERROR and LEAST_POWER keep a little of the other one.
    assert error(combine(estimates, ANGLES[:2]), stems) < 1e-3


@pytest.mark.parametrize("places", [[0, 0.8, 1.5], [0.7, 0.8, 0.9], [0, 0, 1.2], [0, math.pi / 2]])
def test_the_best_of_several_is_no_worse_than_their_mean_or_the_first(places):
    stems = make_stems(places)
    estimates = [estimate(stems, angle) for angle in ANGLES]
    found = error(combine(estimates, ANGLES), stems)
    # Of stems that are alone somewhere, the floors keep a little of the others' angles.
    assert found < 1.02 * error(estimates[0], stems) + 0.005
    assert found < 1.02 * error(np.mean(estimates, 0), stems)


def test_silence_stays_silent_and_is_a_mean():
    silence = np.zeros((2, 3, LENGTH), np.float32)
    np.testing.assert_array_equal(combine([silence] * 2, ANGLES[:2]), silence)
    stems = make_stems([0.3, 1.2])
    stems[:, :, LENGTH // 2 :] = 0
    other = stems.copy()
    other[:, :, LENGTH // 2 :] = 1e-6
    found = combine([stems, other], ANGLES[:2])[:, :, -2 * HOP : -HOP]
    np.testing.assert_allclose(found, 0.5e-6, rtol=0.1)
