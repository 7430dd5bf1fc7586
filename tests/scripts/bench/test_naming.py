"""What becomes of the names of guitar and piano."""

import numpy as np
import pytest
from conftest import STEMS

from scripts.bench.naming import find_shares, name_window, name_windows

RATE_HZ = 1000
PAIR = [2, 3]


@pytest.fixture
def stems():
    """10 s of noise on each stem; the piano rests for the last four."""
    noise = np.random.default_rng(0).standard_normal((4, 10 * RATE_HZ)).astype(np.float32)
    noise[3, 6 * RATE_HZ :] = 0
    return 0.1 * noise


def test_windows_in_which_both_sound_count(stems):
    estimate = stems + 0.01
    # Windows begin at 0, 2, 4 and 6 s.
    assert len(name_windows(estimate, stems, STEMS, RATE_HZ)) == 3
    # What is shorter than a window is one.
    assert len(name_windows(estimate[:, :RATE_HZ], stems[:, :RATE_HZ], STEMS, RATE_HZ)) == 1
    stems[3] = 0
    assert name_windows(estimate, stems, STEMS, RATE_HZ) == []


def test_swapped_names_are_forgiven_in_one_column(stems):
    sounding = stems[:, : 4 * RATE_HZ]
    noise = np.random.default_rng(1).standard_normal(sounding.shape).astype(np.float32)
    right = sounding + 0.001 * noise
    swapped = right[[0, 1, 3, 2]]
    named = name_window(right, sounding, PAIR)
    wrong = name_window(swapped, sounding, PAIR)
    assert named.as_is == named.swapped == pytest.approx(wrong.swapped)
    assert named.as_is > 30
    assert wrong.as_is < 0
    assert named.one_stem == pytest.approx(wrong.one_stem)
    np.testing.assert_allclose(named.shares, np.eye(4), atol=0.01)
    np.testing.assert_allclose(wrong.shares, np.eye(4)[[0, 1, 3, 2]], atol=0.01)


def test_shares_are_the_factors_of_the_stems(stems):
    factors = np.array([[1, 0, 0, 0], [0, 0.9, 0.1, 0], [0, 0, 0.5, 0.5], [0.2, 0, 0.3, 0.5]])
    estimate = (factors.T @ stems).astype(np.float32)
    np.testing.assert_allclose(find_shares(estimate, stems), factors, atol=1e-6)
    silent = stems.copy()
    silent[3] = 0
    shares = find_shares(silent, silent)
    assert np.isnan(shares[3]).all()
    np.testing.assert_allclose(shares[:3], np.eye(4)[:3], atol=1e-6)
