"""The loss of the network that turns sketches into sound."""

import dataclasses

import numpy as np
import pytest
import torch
from conftest import STEMS, TINY_SOUND, make_codes, tiny_sound

from msdm_cli.networks.sketch_unet import SketchUnet
from msdm_cli.representations.envelope import LOWEST, STEPS_PER_FRAME, find_envelope
from msdm_cli.representations.envelope_guess import MARGIN_FRAMES
from msdm_cli.representations.sketch import BANDS, HOP
from scripts.train import sound_matching
from scripts.train.corpus import Corpus
from scripts.train.sound_matching import (
    SIGMAS,
    SoundMatching,
    SoundValidation,
    find_envelope_error,
)

FRAMES = 16
LEVEL = 0.1


def draw_batch(count=4):
    """White stems, the sketch that is theirs on average, and noise."""
    generator = torch.Generator().manual_seed(0)
    stems = LEVEL * torch.randn(count, 4, FRAMES * HOP, generator=generator)
    told = torch.full((count, 4, BANDS + 1, FRAMES), 2 * np.log10(LEVEL))
    told[:, :, -1] = 0
    noise = torch.randn(count, 4, FRAMES * HOP, generator=generator)
    return stems, told, noise, torch.from_numpy(find_envelope(stems.numpy()))


@pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0])
@torch.no_grad()
def test_untrained_it_is_that_of_the_wiener_filter_of_the_sketch(sigma):
    """Error over what was expected and found: 1 / 2, and a tenth of that as a floor."""
    network = SketchUnet(dataclasses.replace(TINY_SOUND, envelope_channels=0))
    stems, *rest = draw_batch()
    loss = SoundMatching(network)(stems, torch.full((4, 4), sigma), *rest)
    assert loss.shape == (4,)
    # Each of a few thousand coefficients has an error of its own: a few per cent.
    torch.testing.assert_close(loss, torch.full((4,), 1 / 2.2), atol=0.03, rtol=0)


@torch.no_grad()
def test_known_stems_do_not_count():
    network = tiny_sound()
    stems, told, noise, _ = draw_batch(1)
    sigma = torch.tensor([[0.3, 0.0, 0.0, 0.3]])
    loss = SoundMatching(network)
    found = loss.find_sound_error(stems, sigma, told, noise)
    clean = network.stft(stems)
    noisy = clean + network.stft(noise) * sigma[:, :, None, None, None]
    error = (network.denoise_told(noisy, sigma, told) - clean).square().sum((2, 3, 4))
    reference = loss._expect_error(clean, noisy, sigma, told)
    expected = (error / reference)[:, [0, 3]].mean(1)
    torch.testing.assert_close(found, expected)


def test_a_step_lowers_the_loss():
    network = tiny_sound()
    stems, *rest = draw_batch(2)
    loss = SoundMatching(network)
    sigma = torch.full((2, 4), 0.1)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        value = loss(stems, sigma, *rest).mean()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0]


def test_where_no_stem_is_asked_for_only_the_envelope_counts():
    network = tiny_sound()
    stems, told, noise, envelope = draw_batch(2)
    loss = SoundMatching(network)(stems, torch.zeros(2, 4), told, noise, envelope)
    torch.testing.assert_close(loss, find_envelope_error(network.envelope(told), envelope))
    loss.sum().backward()
    trained = {name for name, weight in network.named_parameters() if weight.grad is not None}
    assert trained == {name for name, _ in network.named_parameters() if name[:9] == "envelope."}


def test_without_a_network_for_envelopes_a_stem_must_be_asked_for():
    network = SketchUnet(dataclasses.replace(TINY_SOUND, envelope_channels=0))
    stems, told, noise, envelope = draw_batch(1)
    with pytest.raises(ValueError, match="envelope_channels"):
        SoundMatching(network)(stems, torch.zeros(1, 4), told, noise, envelope)


def test_the_error_of_an_envelope():
    """Silence may be guessed to be deeper, and the ends do not count."""
    edge = MARGIN_FRAMES * STEPS_PER_FRAME
    envelope = torch.full((1, 1, 2, 4 * edge), -2.0)
    envelope[:, :, 0] = LOWEST
    guess = envelope.clone()
    guess[:, :, 0] = LOWEST - 3
    guess[..., :edge] = guess[..., -edge:] = 5
    assert find_envelope_error(guess, envelope).item() == 0
    guess[:, :, 1, edge:-edge] += 0.5
    assert find_envelope_error(guess, envelope).item() == pytest.approx(0.25)


def test_figures_of_a_validation(songs, monkeypatch):
    monkeypatch.setattr(sound_matching, "CROPS", 2)
    corpus = Corpus(songs / "validation", STEMS, 22050)
    validation = SoundValidation(corpus, make_codes(), 8192)
    network = SketchUnet(TINY_SOUND)
    figures = validation.score(network)
    losses = [figures[f"loss_{sigma:g}"] for sigma in SIGMAS]
    assert all(0 < loss < 1 for loss in losses)
    assert figures["figure"] == pytest.approx(-np.mean([*losses, figures["envelope"]]))
    assert figures == validation.score(network)
    assert network.training
    worse = validation.score(tiny_sound())
    assert worse["figure"] != figures["figure"]
