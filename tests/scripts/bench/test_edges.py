"""What is compared at the edges of windows."""

import numpy as np
from conftest import CPU, make_tiny_model

from msdm_cli.interface import Model
from scripts.bench import edges


class Positions:
    """A denoiser whose first stem is the mixture, so that it says where it was read."""

    takes_mixture = True
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None):
        return np.repeat(mixture[:, None], x.shape[1], 1)


def test_both_windows_are_compared_at_the_same_places():
    spec = make_tiny_model().spec
    model = Model(spec, (Positions(),), CPU)
    mixture = np.arange(4 * edges.REACH, dtype=np.float32)
    ends, beginnings = edges.pair_edges(model, mixture)
    for edge, inside in (ends, beginnings):
        assert edge.shape == (len(spec.stems), edges.REACH)
        np.testing.assert_array_equal(edge, inside)
    # Outwards from the edge, which is in the middle.
    assert ends[0][0, 0] == 2 * edges.REACH - 1
    assert ends[0][0, 1] == 2 * edges.REACH - 2
    assert beginnings[0][0, 0] == 2 * edges.REACH


def test_energy_is_that_of_each_block():
    x = np.zeros((2, edges.REACH), np.float32)
    x[:, 3 * edges.BLOCK] = 2.0
    energy = edges.sum_squares(x)
    assert energy.shape == (edges.BLOCKS,)
    assert energy[3] == energy.sum() == 8
