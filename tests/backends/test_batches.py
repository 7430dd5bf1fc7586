import numpy as np
import pytest

from msdm_cli.backends.batches import run_in_parts
from msdm_cli.errors import DeviceFull


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
@pytest.mark.parametrize("with_mixture", [True, False])
def test_a_batch_that_does_not_fit_is_halved(batch, with_mixture):
    sizes = []

    def run(x, sigma, mixture):
        sizes.append(len(x))
        if len(x) > 1:
            raise DeviceFull("full", "free some")
        return x * sigma[:, :, None] + (0 if mixture is None else mixture[:, None])

    rng = np.random.default_rng(0)
    x, sigma, mixture = (
        rng.standard_normal(shape, np.float32)
        for shape in ((batch, 4, 16), (batch, 4), (batch, 16))
    )
    found = run_in_parts(run, x, sigma, mixture if with_mixture else None, singly=False)
    np.testing.assert_array_equal(
        found, x * sigma[:, :, None] + (mixture[:, None] if with_mixture else 0)
    )
    assert sizes.count(1) == batch


def test_an_item_that_does_not_fit_is_an_error():
    def run(x, sigma, mixture):
        raise DeviceFull("full", "free some")

    with pytest.raises(DeviceFull):
        run_in_parts(run, np.zeros((3, 4, 16)), np.zeros((3, 4)), None, singly=False)


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_items_run_one_by_one(batch):
    sizes = []

    def run(x, sigma, mixture):
        sizes.append(len(x))
        return x + mixture[:, None]

    x = np.ones((batch, 4, 16))
    mixture = np.arange(batch * 16.0).reshape(batch, 16)
    np.testing.assert_array_equal(
        run_in_parts(run, x, np.ones((batch, 4)), mixture, singly=True), x + mixture[:, None]
    )
    assert sizes == [1] * batch


@pytest.mark.parametrize("singly", [True, False])
def test_each_item_has_its_row_of_all_inputs(singly):
    def run(x, sigma, mixture, told):
        assert mixture is None
        if len(x) > 1:
            raise DeviceFull("full", "free some")
        return x + sigma[:, :, None] + told[:, None, :, 0]

    rng = np.random.default_rng(0)
    x, sigma, told = (rng.standard_normal(shape) for shape in ((3, 4, 16), (3, 4), (3, 16, 2)))
    found = run_in_parts(run, x, sigma, None, told, singly=singly)
    np.testing.assert_array_equal(found, x + sigma[:, :, None] + told[:, None, :, 0])


@pytest.mark.parametrize(("batch", "sizes"), [(1, [1]), (2, [2]), (3, [2, 1]), (5, [2, 2, 1])])
@pytest.mark.parametrize("singly", [True, False])
def test_neighbours_that_are_heard_together_stay_together(batch, sizes, singly):
    ran = []

    def run(x, sigma):
        if len(x) > 2:
            raise DeviceFull("full", "free some")
        ran.append(len(x))
        return x

    x = np.arange(batch, dtype=np.float32)[:, None, None]
    found = run_in_parts(run, x, x[:, 0], singly=singly, together=2)
    np.testing.assert_array_equal(found, x)
    assert ran == sizes
