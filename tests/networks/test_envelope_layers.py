"""The network that guesses envelopes, in PyTorch and in NumPy."""

import numpy as np
import pytest
import torch
from conftest import freeze_head, stir

from msdm_cli.networks.envelope_layers import EnvelopeHead
from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEPS_PER_FRAME
from msdm_cli.representations.sketch import BANDS, FLOOR

STEMS = 3
FRAMES = 24


@pytest.fixture
def head():
    return stir(EnvelopeHead(STEMS, 16))


def tell(seed=0):
    """Sketches, some of them below the floor, and the sizes of their errors."""
    rng = np.random.default_rng(seed)
    sketch = rng.uniform(FLOOR - 1, 0, (STEMS, BANDS, FRAMES))
    error = np.broadcast_to(rng.uniform(0, 1, (STEMS, 1, 1)), (STEMS, 1, FRAMES))
    return np.concatenate((sketch, error), 1).astype(np.float32)


@torch.no_grad()
def test_both_give_the_same(head):
    told = tell()
    kept = told.copy()
    found = freeze_head(head)(told)
    expected = head(torch.from_numpy(told)[None])[0].numpy()
    assert found.shape == (STEMS, ENVELOPE_BANDS, FRAMES * STEPS_PER_FRAME)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_array_equal(told, kept)
