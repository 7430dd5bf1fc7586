"""The network that guesses envelopes, as it runs."""

import numpy as np
import torch
from conftest import freeze_head, tell_noise
from safetensors.torch import save_file

from msdm_cli.models.registry import EMBEDDED, find_entry
from msdm_cli.models.verify import check_file
from msdm_cli.representations.envelope import STEPS_PER_FRAME
from msdm_cli.representations.envelope_guess import MARGIN_FRAMES, PREFIX, load_guess
from msdm_cli.representations.sketch import BANDS


def test_what_sounds_at_an_end_goes_on_beyond_it(head):
    """So music that begins at once is not faded in."""
    told = tell_noise()
    before, after = (np.repeat(told[..., [end]], MARGIN_FRAMES, 2) for end in (0, -1))
    longer = freeze_head(head)(np.concatenate((before, told, after), 2))
    inside = slice(MARGIN_FRAMES * STEPS_PER_FRAME, -MARGIN_FRAMES * STEPS_PER_FRAME)
    np.testing.assert_allclose(longer[..., inside], freeze_head(head)(told), atol=1e-4)


def test_the_embedded_network_begins_at_once():
    """A sketch that is the same throughout stands for an envelope that is."""
    entry = find_entry(EMBEDDED)
    guess = load_guess(check_file(entry, entry.find_weights("sound")))
    assert guess is not None
    told = np.full((4, BANDS + 1, 24), -2.0, np.float32)
    told[:, -1] = 0.3
    envelope = guess(told)
    np.testing.assert_allclose(envelope, -2, atol=0.6)


def test_a_guess_depends_on_the_frames_around_it_alone(head):
    told = tell_noise()
    changed = told.copy()
    changed[:, :, -1] = 0
    same = (told.shape[2] - 1 - MARGIN_FRAMES) * STEPS_PER_FRAME
    before, after = freeze_head(head)(told), freeze_head(head)(changed)
    np.testing.assert_array_equal(before[..., :same], after[..., :same])
    assert (before[..., same:] != after[..., same:]).any()


def test_it_is_loaded_from_the_weights_of_the_network_that_has_it(head, tmp_path):
    tensors = {f"{PREFIX}{name}": value.half() for name, value in head.state_dict().items()}
    save_file(tensors | {"other": torch.zeros(2)}, tmp_path / "with.safetensors")
    save_file({"other": torch.zeros(2)}, tmp_path / "without.safetensors")
    guess = load_guess(tmp_path / "with.safetensors")
    assert guess is not None
    np.testing.assert_allclose(guess(tell_noise()), freeze_head(head)(tell_noise()), atol=1e-2)
    assert guess(tell_noise()).dtype == np.float32
    assert load_guess(tmp_path / "without.safetensors") is None
