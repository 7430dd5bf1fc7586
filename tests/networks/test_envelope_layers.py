"""The network that guesses envelopes, in PyTorch and in NumPy."""

import numpy as np
import torch
from conftest import freeze_head, tell_noise

from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEPS_PER_FRAME


@torch.no_grad()
def test_both_give_the_same(head):
    told = tell_noise()
    kept = told.copy()
    found = freeze_head(head)(told)
    expected = head(torch.from_numpy(told)[None])[0].numpy()
    assert found.shape == (len(told), ENVELOPE_BANDS, told.shape[2] * STEPS_PER_FRAME)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_array_equal(told, kept)
