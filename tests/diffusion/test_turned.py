"""Answers to turned stereo music, and the best of several."""

import math

import numpy as np
import pytest

from msdm_cli.diffusion.turned import ANGLES, HOP, TurnedDenoiser, combine, is_stereo, turn

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


def test_the_same_estimate_from_all_angles_stays():
    stems = make_stems([0.2, 1.0, 1.4])
    np.testing.assert_allclose(combine([stems] * 4, ANGLES), stems, atol=1e-5)


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
    other[:, :, LENGTH // 2 :] = 1e-4
    found = combine([stems, other], ANGLES[:2])[:, :, -2 * HOP : -HOP]
    np.testing.assert_allclose(found, 0.5e-4, rtol=0.05)
