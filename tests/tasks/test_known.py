import math

import numpy as np
import pytest

from msdm_cli.tasks.known import Given, Known, find_known_tokens


def ramp(start, stop):
    """A stem of 100 samples that tell their place."""
    assert 0 <= start <= stop
    return np.where(np.arange(start, stop) < 100, np.arange(start, stop), 0).astype(np.float32)


def test_a_stem_that_is_there_is_known_with_the_silence_around_it():
    heard = Given(ramp, margin=10).window(0, 110)
    np.testing.assert_array_equal(heard.samples, [*[0] * 10, *range(100), *[0] * 20])
    assert heard.known.all()


def test_a_window_has_its_margins():
    heard = Given(ramp, margin=5).window(20, 30)
    np.testing.assert_array_equal(heard.samples, np.arange(15, 35))
    np.testing.assert_array_equal(heard.inside(5).samples, np.arange(20, 30))
    assert len(heard.inside(5).known) == 10


@pytest.mark.parametrize("gap", [(30, 40), (30, math.inf), (0, 0)])
def test_a_gap_is_not_known(gap):
    known = Given(ramp, gap).window(10, 60).known
    expected = [not gap[0] <= place < gap[1] for place in range(10, 60)]
    np.testing.assert_array_equal(known, expected)


@pytest.mark.parametrize("place", [0, 8, 11, 25])
def test_a_token_is_known_with_all_that_its_code_depends_on(place):
    length, margin, tokens = 4, 3, 5
    known = np.ones(tokens * length + 2 * margin, bool)
    assert find_known_tokens(known, length, margin).all()
    known[place] = False
    expected = [
        not length * token <= place < length * (token + 1) + 2 * margin for token in range(tokens)
    ]
    np.testing.assert_array_equal(find_known_tokens(known, length, margin), expected)


def test_what_is_known_can_be_cut():
    heard = Known(np.zeros(8, np.float32), np.arange(8) > 3)
    assert list(heard.inside(2).known) == [False, False, True, True]
