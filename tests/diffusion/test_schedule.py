import numpy as np
import pytest

from msdm_cli.diffusion.schedule import karras_sigmas


def test_it_is_the_formula_of_the_paper():
    sigmas = karras_sigmas(5, 0.01, 3.0, 7.0)
    expected = [(3 ** (1 / 7) + i / 4 * (0.01 ** (1 / 7) - 3 ** (1 / 7))) ** 7 for i in range(5)]
    np.testing.assert_allclose(sigmas, [*expected, 0.0], rtol=1e-12)


def test_one_step_goes_from_the_top_to_zero():
    assert karras_sigmas(1, 0.01, 3.0).tolist() == pytest.approx([3.0, 0.0])


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="at least 1 step"):
        karras_sigmas(0, 0.01, 1.0)
