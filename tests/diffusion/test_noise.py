import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msdm_cli.diffusion.noise import BLOCK_LENGTH, NoiseField

LONG = 3 * BLOCK_LENGTH


@given(st.integers(0, LONG - 1), st.integers(1, LONG))
def test_a_window_is_a_window_of_the_whole(start, length):
    field = NoiseField(seed=7, stems=2)
    whole = field.draw(0, 2 * LONG, step=3)
    np.testing.assert_array_equal(
        field.draw(start, length, step=3), whole[:, start : start + length]
    )


def test_it_is_white_and_of_unit_variance():
    noise = NoiseField(0, 1).draw(0, 1 << 18, step=0)[0].astype(np.float64)
    # Five standard errors: 1/sqrt(n) of a mean and of a correlation, sqrt(2/n) of a variance.
    tolerance = 5 / np.sqrt(noise.size)
    assert abs(noise.mean()) < tolerance
    assert abs(noise.var() - 1) < np.sqrt(2) * tolerance
    for lag in (1, 2, BLOCK_LENGTH):
        assert abs((noise[lag:] * noise[:-lag]).mean()) < tolerance


@pytest.mark.parametrize("other", [{"seed": 1}, {"step": 1}, {"sample": 1}])
def test_seed_step_and_sample_tell_fields_apart(other):
    def draw(seed=0, step=0, sample=0):
        return NoiseField(seed, 2).draw(5, 1000, step=step, sample=sample)

    assert abs(np.corrcoef(draw().ravel(), draw(**other).ravel())[0, 1]) < 5 / np.sqrt(2000)


def test_stems_are_independent():
    first, second = NoiseField(0, 2).draw(0, 10_000, step=0)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(10_000)


def test_a_seed_out_of_range_is_refused():
    with pytest.raises(ValueError, match="expected a seed"):
        NoiseField(seed=1.5, stems=1)
    with pytest.raises(ValueError, match="expected a seed"):
        NoiseField(-1, 1)
