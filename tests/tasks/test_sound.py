"""What makes a sound of a sketch."""

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.progress import SilentProgress
from msdm_cli.representations.envelope import LOWEST, STEPS_PER_FRAME, find_envelope
from msdm_cli.representations.sketch import BANDS, FLOOR, HOP, MARGIN, find_sketch
from msdm_cli.tasks.calls import Calls, WatchedDenoiser
from msdm_cli.tasks.join import FADE
from msdm_cli.tasks.sound import SoundMaker

FRAMES = 16
LENGTH = FRAMES * HOP
FIRST = 5 * HOP
STEMS = ("drums", "piano")
UNKNOWN = Condition()
ALL = np.ones((1, 2))


class Guess:
    """Gives one envelope, and keeps what it was told."""

    takes_mixture = False
    shares_sigma = False

    def __init__(self, envelope):
        self.envelope = envelope
        self.told = []

    def __call__(self, x, sigma, mixture=None, told=None):
        self.told.append(told)
        return self.envelope.reshape(x.shape)


def noise(seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal((2, LENGTH), dtype=np.float32)


def sketch_of(stems):
    return find_sketch(np.pad(stems, ((0, 0), (MARGIN, MARGIN))))


def make(told, envelope, *, stems=STEMS, condition=UNKNOWN, sigma=ALL, progress=None, x=None):
    """The sounds, and the network that was asked."""
    network = Guess(envelope)
    watched = WatchedDenoiser(network, Calls(progress or SilentProgress()), 0)
    maker = SoundMaker(watched, stems, told, FIRST, condition)
    return maker(np.zeros((1, 2, LENGTH), np.float32) if x is None else x, sigma)[0], network


@pytest.fixture
def told():
    return np.concatenate((sketch_of(noise(1)), np.full((2, 1, FRAMES), 0.3, np.float32)), 1)


@pytest.fixture
def envelope():
    return find_envelope(noise(1))


def test_a_sound_has_the_powers_of_its_sketch_and_its_envelope(told, envelope):
    made, network = make(told, envelope)
    inside = slice(4, -4)
    # White noise flutters: the powers of its bands differ by 4 dB (root mean square).
    error_db = 10 * np.sqrt(np.square(sketch_of(made) - told[:, :BANDS])[..., inside].mean())
    assert error_db < 4
    error_db = 10 * np.sqrt(np.square(find_envelope(made) - envelope)[..., 16:-16].mean())
    assert error_db < 4
    np.testing.assert_array_equal(network.told, told[None, None])


def test_it_is_a_function_of_what_is_told_whatever_noise_it_gets(told, envelope):
    one, _ = make(told, envelope)
    other, _ = make(told, envelope, x=noise(5)[None])
    np.testing.assert_array_equal(one, other)


def test_silence_in_a_sketch_is_silence(told, envelope):
    told[0, :BANDS] = FLOOR + 0.4
    made, _ = make(told, envelope)
    assert np.abs(made[0]).max() < 1e-5
    assert np.abs(made[1]).max() > 0.1


def test_an_attack_is_where_the_envelope_has_it(told, envelope):
    """Both stems are silent for the second half of a frame, which no sketch can say."""
    shaped = envelope.copy()
    gap = slice(9 * STEPS_PER_FRAME + 2, 10 * STEPS_PER_FRAME)
    shaped[..., gap] = LOWEST
    plain_made, gap_made = (make(told, wanted)[0] for wanted in (envelope, shaped))
    before, after = (find_envelope(made)[..., gap].mean((1, 2)) for made in (plain_made, gap_made))
    assert (after < before - 0.5).all()


def test_a_stem_that_is_known_is_left_as_it_is(told, envelope):
    x = noise()[None]
    made, network = make(told, envelope, sigma=np.array([[0.0, 1.0]]), x=x)
    np.testing.assert_array_equal(made[0], x[0, 0])
    np.testing.assert_array_equal(made[1], make(told, envelope)[0][1])
    assert len(network.told) == 1


def test_no_network_is_asked_where_all_stems_are_known(told, envelope):
    skipped = []
    progress = SilentProgress()
    progress.skip = skipped.append
    x = noise()[None]
    made, network = make(told, envelope, sigma=np.zeros((1, 2)), x=x, progress=progress)
    np.testing.assert_array_equal(made, x[0])
    assert not network.told
    assert skipped == [1]


def test_a_sound_goes_on_from_what_is_known(told, envelope):
    known = np.zeros((1, 2, LENGTH), bool)
    known[:, 1, : LENGTH // 2] = True
    time = np.arange(LENGTH) / 22050
    values = np.broadcast_to(np.sin(2 * np.pi * 100 * time).astype(np.float32), (1, 2, LENGTH))
    made, _ = make(told, envelope, condition=Condition(values=values, known=known))
    free, _ = make(told, envelope)
    seam = LENGTH // 2
    assert made[1, seam] == pytest.approx(values[0, 1, seam], abs=2e-3)
    assert made[1, seam + 1] == pytest.approx(values[0, 1, seam + 1], abs=1e-2)
    np.testing.assert_array_equal(made[1, seam + FADE :], free[1, seam + FADE :])
    np.testing.assert_array_equal(made[0], free[0])


def test_drums_have_no_harmonics(told, envelope, monkeypatch):
    drafted = []

    def draft(sketch, first, *, has_notes):
        drafted.append((first, has_notes))
        return noise()[0]

    monkeypatch.setattr("msdm_cli.tasks.sound.draft_sound", draft)
    make(told, envelope)
    assert drafted == [(FIRST, False), (FIRST, True)]
