"""The network that guesses envelopes."""

import numpy as np
import pytest
import torch
from conftest import stir

from msdm_cli.backends.runtime import Runtime
from msdm_cli.models.load import load
from msdm_cli.networks.sketch_envelope import (
    MARGIN_FRAMES,
    SketchEnvelope,
    SketchEnvelopeConfig,
)
from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEPS_PER_FRAME
from msdm_cli.representations.sketch import BANDS, FLOOR

STEMS = 3
FRAMES = 24

# Single precision: products of a thousand numbers of the order of 1.
ROUNDING = 1e-4


@pytest.fixture
def network():
    config = SketchEnvelopeConfig(STEMS, hidden=16)
    return stir(lambda: SketchEnvelope(config)).requires_grad_(False)


@pytest.fixture
def told():
    """Sketches, some of them below the floor, and the sizes of their errors."""
    rng = np.random.default_rng(0)
    sketch = rng.uniform(FLOOR - 1, 0, (1, STEMS, BANDS, FRAMES))
    error = np.broadcast_to(rng.uniform(0, 1, (1, STEMS, 1, 1)), (1, STEMS, 1, FRAMES))
    return torch.from_numpy(np.concatenate((sketch, error), 2).astype(np.float32))


def test_untrained_it_guesses_the_middle_of_the_scale(told):
    network = SketchEnvelope(SketchEnvelopeConfig(STEMS, hidden=16)).requires_grad_(False)
    torch.nn.init.zeros_(network.leave.weight)
    found = network.find(told)
    assert found.shape == (1, STEMS, ENVELOPE_BANDS, FRAMES * STEPS_PER_FRAME)
    assert (found == FLOOR / 2).all()


def test_it_answers_in_the_shape_of_the_question(network, told):
    x = torch.randn(1, STEMS, ENVELOPE_BANDS * FRAMES * STEPS_PER_FRAME)
    found = network(x, torch.ones(1, STEMS), None, told)
    assert found.shape == x.shape
    assert torch.equal(found.view(1, STEMS, ENVELOPE_BANDS, -1), network.find(told))
    with pytest.raises(ValueError, match="a sketch"):
        network(x, torch.ones(1, STEMS))


def test_what_sounds_at_an_end_goes_on_beyond_it(network, told):
    """So music that begins at once is not faded in."""
    ends = [told[..., [end]].repeat(1, 1, 1, MARGIN_FRAMES) for end in (0, -1)]
    longer = network.find(torch.cat((ends[0], told, ends[1]), 3))
    inside = slice(MARGIN_FRAMES * STEPS_PER_FRAME, -MARGIN_FRAMES * STEPS_PER_FRAME)
    torch.testing.assert_close(longer[..., inside], network.find(told), atol=ROUNDING, rtol=0)


def test_a_guess_depends_on_the_frames_around_it_alone(network, told):
    changed = told.clone()
    changed[..., -1] = 0
    same = (FRAMES - 1 - MARGIN_FRAMES) * STEPS_PER_FRAME
    before, after = network.find(told), network.find(changed)
    torch.testing.assert_close(before[..., :same], after[..., :same], atol=ROUNDING, rtol=0)
    assert (before[..., same:] - after[..., same:]).abs().max() > 100 * ROUNDING


def test_a_guess_is_that_of_its_stem_and_item(network, told):
    both = network.find(torch.cat((told, told.flip(1))))
    for item in range(2):
        alone = network.find((told, told.flip(1))[item])[0]
        torch.testing.assert_close(both[item], alone, atol=ROUNDING, rtol=0)
    assert not torch.allclose(both[0, 0], both[1, -1], atol=100 * ROUNDING)


def test_it_stays_in_single_precision(network, told):
    before = network.find(told)
    network.cast(torch.bfloat16)
    assert torch.equal(network.find(told), before)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_the_embedded_network_begins_at_once(backend):
    """A sketch that is the same throughout stands for an envelope that is."""
    model = load("embedded", Runtime(backend, "cpu"))
    guess = model.for_stage(2).choose(0)
    told = np.full((1, 4, BANDS + 1, FRAMES), -2.0, np.float32)
    told[:, :, -1] = 0.3
    x = np.zeros((1, 4, ENVELOPE_BANDS * FRAMES * STEPS_PER_FRAME), np.float32)
    np.testing.assert_allclose(guess(x, np.ones((1, 4)), None, told), -2, atol=0.6)
