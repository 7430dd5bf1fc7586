import math

import numpy as np
import pytest

from msdm_cli.evaluation.metrics import score_windows, si_sdr

RATE = 1000


def orthogonal(length=4000):
    time = np.arange(length) / length
    return np.sin(2 * math.pi * 5 * time), np.cos(2 * math.pi * 5 * time)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_scale_does_not_matter(scale):
    target, error = orthogonal()
    assert si_sdr(scale * (target + 0.1 * error), target).item() == pytest.approx(20.0, abs=0.01)


def test_a_perfect_estimate_is_limited_by_eps():
    target, _ = orthogonal()
    assert si_sdr(target, target).item() == pytest.approx(10 * math.log10(2000 / 1e-8), abs=0.1)


def test_silence_scores_the_papers_value_for_a_silent_target():
    # a = (0 + eps) / (0 + eps) = 1, and (0 + eps) / (0 + eps) is 0 dB.
    assert si_sdr(np.zeros(4000), np.zeros(4000)).item() == pytest.approx(0.0)


def test_windows_with_one_active_stem_do_not_count():
    stems = np.random.default_rng(0).standard_normal((2, 12 * RATE))
    stems[1, 4 * RATE : 8 * RATE] = 0
    scores = score_windows(stems, stems, RATE)
    # Windows start at 0, 2, 4, 6, 8 s; the one from 4 to 8 s has one active stem.
    assert scores.improvement.shape == (4, 2)
    assert scores.active.all()
    assert (scores.improvement > 60).all()


def test_the_mixture_improves_nothing():
    stems = np.random.default_rng(0).standard_normal((3, 8 * RATE))
    scores = score_windows(np.broadcast_to(stems.sum(0), stems.shape), stems, RATE)
    np.testing.assert_allclose(scores.improvement, np.zeros((3, 3)), atol=1e-5)


def test_a_leak_is_measured_against_the_mixture():
    stems = np.random.default_rng(0).standard_normal((3, 4 * RATE))
    stems[2] = 0
    estimate = stems.copy()
    estimate[2] = 0.01 * stems.sum(0)
    scores = score_windows(estimate, stems, RATE)
    assert not scores.active[0, 2]
    assert scores.leak_db[0, 2].item() == pytest.approx(-40.0, abs=0.01)
