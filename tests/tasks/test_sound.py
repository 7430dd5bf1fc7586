"""The network that is told a sketch: drafts above their level, estimates that agree below."""

import numpy as np
import pytest

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.progress import SilentProgress
from msdm_cli.representations.envelope import LOWEST, STEPS_PER_FRAME, find_envelope
from msdm_cli.representations.sketch import BANDS, HOP, MARGIN, find_sketch
from msdm_cli.representations.sketch_draft import draft_sound
from msdm_cli.tasks.calls import Calls, WatchedDenoiser
from msdm_cli.tasks.join import FADE
from msdm_cli.tasks.sound import Draft, SoundDenoiser

FRAMES = 16
LENGTH = FRAMES * HOP
LEVEL = 0.1
FIRST = 5 * HOP
UNKNOWN = Condition()


class Recorder:
    """Gives half of its input, and keeps what it was asked."""

    takes_mixture = False
    shares_sigma = False

    def __init__(self):
        self.asked = []

    def __call__(self, x, sigma, mixture=None, told=None):
        self.asked.append((x.copy(), sigma.copy(), told))
        return x / 2


def ask(network, told, drafts, condition=UNKNOWN, progress=None, envelope=None):
    """The denoiser of sounds, with a network in it."""
    calls = Calls(progress or SilentProgress())
    watched = WatchedDenoiser(network, calls, 0)
    return SoundDenoiser(watched, told, drafts, FIRST, condition, envelope)


def noise(seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal((1, 2, LENGTH), dtype=np.float32)


@pytest.fixture
def told():
    sketch = find_sketch(np.pad(noise(1)[0], ((0, 0), (MARGIN, MARGIN))))
    return np.concatenate((sketch, np.full((2, 1, FRAMES), 0.3, np.float32)), 1)[None]


def test_above_its_level_a_stem_is_its_draft_and_known_to_the_network(told):
    network = Recorder()
    x = noise()
    estimate = ask(network, told, {1: Draft(LEVEL)})(x, np.full((1, 2), 2 * LEVEL))
    draft = draft_sound(told[0, 1, :-1], FIRST)
    ((seen, levels, heard),) = network.asked
    np.testing.assert_array_equal(estimate[0, 1], draft)
    np.testing.assert_array_equal(seen[0, 1], draft)
    np.testing.assert_array_equal(seen[0, 0], x[0, 0])
    np.testing.assert_array_equal(levels, [[2 * LEVEL, 0]])
    assert heard is told


def test_below_its_level_the_network_estimates_it(told):
    network = Recorder()
    x = noise()
    sigma = np.full((1, 2), LEVEL)
    ask(network, told, {1: Draft(LEVEL)})(x, sigma)
    ((seen, levels, _),) = network.asked
    np.testing.assert_array_equal(seen, x)
    np.testing.assert_array_equal(levels, sigma)


def test_estimates_agree_with_the_sketch(told):
    estimate = ask(Recorder(), told, {})(noise(), np.ones((1, 2)))
    found = find_sketch(np.pad(estimate[0], ((0, 0), (MARGIN, MARGIN))))
    errors = [
        10 * np.sqrt(np.square(other - told[0, :, :BANDS]).mean())
        for other in (found, find_sketch(np.pad(noise()[0] / 2, ((0, 0), (MARGIN, MARGIN)))))
    ]
    assert errors[0] < errors[1] / 2


def test_a_given_stem_is_never_drafted(told):
    network = Recorder()
    x = noise()
    ask(network, told, {1: Draft(LEVEL)})(x, np.array([[1.0, 0.0]]))
    ((seen, _, _),) = network.asked
    np.testing.assert_array_equal(seen, x)


def test_the_network_is_not_asked_where_all_stems_are_given_or_drafted(told):
    network = Recorder()
    skipped = []
    progress = SilentProgress()
    progress.skip = skipped.append
    x = noise()
    denoiser = ask(network, told, {1: Draft(LEVEL)}, progress=progress)
    estimate = denoiser(x, np.array([[0, 2 * LEVEL]]))
    np.testing.assert_array_equal(estimate[0, 0], x[0, 0])
    np.testing.assert_array_equal(estimate[0, 1], draft_sound(told[0, 1, :-1], FIRST))
    assert not network.asked
    assert skipped == [1]
    denoiser(x, np.array([[0, LEVEL]]))
    assert len(network.asked) == 1
    assert skipped == [1]


def test_estimates_go_on_from_what_is_known(told):
    known = np.zeros((1, 2, LENGTH), bool)
    known[:, 1, : LENGTH // 2] = True
    time = np.arange(LENGTH) / 22050
    values = np.broadcast_to(np.sin(2 * np.pi * 100 * time).astype(np.float32), (1, 2, LENGTH))
    condition = Condition(values=values, known=known)
    ask_known = ask(Recorder(), told, {1: Draft(LEVEL)}, condition)
    estimate = ask_known(noise(), np.full((1, 2), 2 * LEVEL))[0, 1]
    seam = LENGTH // 2
    assert estimate[seam] == pytest.approx(values[0, 1, seam], abs=2e-3)
    assert estimate[seam + 1] == pytest.approx(values[0, 1, seam + 1], abs=1e-2)
    far = slice(seam + FADE, None)
    np.testing.assert_array_equal(estimate[far], draft_sound(told[0, 1, :-1], FIRST)[far])


def test_estimates_and_drafts_get_the_envelope(told):
    """Both stems are silent for the second half of a frame, which no sketch can say."""
    envelope = find_envelope(noise(1)[0]).copy()
    frame = slice(9 * STEPS_PER_FRAME + 2, 10 * STEPS_PER_FRAME)
    envelope[..., frame] = LOWEST
    estimates = [
        ask(Recorder(), told, {1: Draft(LEVEL)}, envelope=shape)(
            noise(), np.full((1, 2), 2 * LEVEL)
        )[0]
        for shape in (None, envelope)
    ]
    plain, shaped = (find_envelope(stems)[..., frame].mean((1, 2)) for stems in estimates)
    assert (shaped < plain - 0.5).all()
    error, other = (
        np.abs(find_envelope(stems) - envelope)[..., : 9 * STEPS_PER_FRAME].mean()
        for stems in estimates[::-1]
    )
    assert error < 0.6 * other


def test_a_stem_without_notes_is_drafted_without_harmonics(told):
    x = noise()
    sigma = np.full((1, 2), 2 * LEVEL)
    use = Draft(LEVEL, has_notes=False)
    estimate = ask(Recorder(), told, {1: use})(x, sigma)[0, 1]
    np.testing.assert_array_equal(estimate, draft_sound(told[0, 1, :-1], FIRST, has_notes=False))
