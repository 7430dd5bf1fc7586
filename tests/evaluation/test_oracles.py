import math

import numpy as np
import pytest

from msdm_cli.evaluation.metrics.si_sdr import si_sdr
from msdm_cli.evaluation.oracles import separate_by_mask


@pytest.mark.parametrize("binary", [True, False])
def test_stems_that_share_no_band_are_separated(binary):
    time = np.arange(22050) / 22050
    stems = np.stack([np.sin(2 * math.pi * pitch * time) for pitch in (200, 2000, 6000)])
    # What leaks is the window's side lobes at 1800 Hz distance.
    assert (si_sdr(separate_by_mask(stems, binary=binary), stems) > 30).all()


@pytest.mark.parametrize("binary", [True, False])
def test_masks_sum_to_one(binary):
    stems = np.random.default_rng(0).standard_normal((3, 10_001)).astype(np.float32)
    np.testing.assert_allclose(
        separate_by_mask(stems, binary=binary).sum(0), stems.sum(0), atol=1e-5
    )
