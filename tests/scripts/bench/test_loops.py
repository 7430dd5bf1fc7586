"""Kinks at the seam of a loop."""

import numpy as np
import pytest

from scripts.bench.loops import measure_kinks


def test_a_kink_is_compared_with_those_near_it():
    """A tone that fits into a loop goes on at its seam; one that does not has a kink there."""
    turns = np.arange(22050) / 22050
    loop = np.stack([np.sin(2 * np.pi * 100 * turns), np.sin(2 * np.pi * 100.5 * turns + 1)])
    fits, breaks = measure_kinks(loop, 0)
    # The tone passes zero at the seam, where its kink is that of the sample beside it.
    assert fits == pytest.approx(2**0.5 * np.sin(2 * np.pi * 100 / 22050), rel=0.02)
    assert breaks > 10
    assert measure_kinks(np.zeros((1, 5000)), 0)[0] == 0
    loop[0, 3000:] += 1
    assert measure_kinks(loop, 3000)[0] > 10
