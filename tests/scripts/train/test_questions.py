"""The mix of questions."""

import numpy as np
import pytest

from scripts.train.questions import QuestionMix


def draw_many(mix, count=2000):
    rng = np.random.default_rng(0)
    return [mix.draw(rng, 4) for _ in range(count)]


def only(**shares):
    return QuestionMix(**{"regress": 0, "refine": 0, "refine_known": 0, "impute": 0} | shares)


def test_every_question_has_its_share():
    drawn = draw_many(QuestionMix())
    regress = np.mean([bool(np.isinf(sigma).all()) and given for sigma, given in drawn])
    assert regress == pytest.approx(0.68, abs=0.03)
    assert np.mean([given for _, given in drawn]) == pytest.approx(0.76, abs=0.03)


@pytest.mark.parametrize(
    ("mix", "separates", "relates"),
    [
        (only(), False, False),
        (only(impute=1), False, True),
        (only(regress=1), True, True),
        (only(refine_known=0.5), True, True),
    ],
)
def test_what_a_mix_asks(mix, separates, relates):
    assert mix.separates == separates
    assert mix.relates == relates
    assert any(given for _, given in draw_many(mix, 200)) == separates


def test_the_prior_has_one_sigma_in_its_range():
    for sigma, given in draw_many(only(), 200):
        assert not given
        assert np.ptp(sigma) == 0
        assert 5e-3 <= sigma[0] <= 5.0


def test_refining_has_one_sigma_in_its_own_range():
    for sigma, given in draw_many(only(refine=1), 200):
        assert given
        assert np.ptp(sigma) == 0
        assert 0.03 <= sigma[0] <= 1.0


def test_known_stems_have_no_noise_and_others_do():
    for mix in (only(refine_known=1), only(impute=1)):
        for sigma, given in draw_many(mix, 200):
            assert given == mix.separates
            assert 1 <= (sigma == 0).sum() <= 3
            assert (sigma > 0).any()


def test_silent_stems_are_told_as_known_as_often_as_asked():
    stems = np.ones((4, 8), np.float32)
    stems[3] = 0
    mix, rng = QuestionMix(told_absent=0.4), np.random.default_rng(0)
    told = [mix.tell_absent(rng, np.full(4, np.inf), stems) for _ in range(1000)]
    assert all(np.isinf(sigmas[:3]).all() for sigmas in told)
    assert np.mean([sigmas[3] == 0 for sigmas in told]) == pytest.approx(0.4, abs=0.05)
