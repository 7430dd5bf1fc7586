"""The loss of the network that turns sketches into sound."""

import numpy as np
import pytest
import torch
from conftest import STEMS, TINY_SOUND, make_codes, tiny_sound

from msdm_cli.networks.sketch_unet import SketchUnet
from msdm_cli.representations.sketch import BANDS, HOP
from scripts.train import sound_matching
from scripts.train.corpus import Corpus
from scripts.train.sound_matching import SIGMAS, SoundMatching, SoundValidation

FRAMES = 16
LEVEL = 0.1


def draw_batch(count=4):
    """White stems, the sketch that is theirs on average, and noise."""
    generator = torch.Generator().manual_seed(0)
    stems = LEVEL * torch.randn(count, 4, FRAMES * HOP, generator=generator)
    told = torch.full((count, 4, BANDS + 1, FRAMES), 2 * np.log10(LEVEL))
    told[:, :, -1] = 0
    return stems, told, torch.randn(count, 4, FRAMES * HOP, generator=generator)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0])
@torch.no_grad()
def test_untrained_it_is_that_of_the_wiener_filter_of_the_sketch(sigma):
    """Error over what was expected and found: 1 / 2, and a tenth of that as a floor."""
    network = SketchUnet(TINY_SOUND)
    stems, told, noise = draw_batch()
    loss = SoundMatching(network)(stems, torch.full((4, 4), sigma), told, noise)
    assert loss.shape == (4,)
    # Each of a few thousand coefficients has an error of its own: a few per cent.
    torch.testing.assert_close(loss, torch.full((4,), 1 / 2.2), atol=0.03, rtol=0)


@torch.no_grad()
def test_known_stems_do_not_count():
    network = tiny_sound()
    stems, told, noise = draw_batch(1)
    sigma = torch.tensor([[0.3, 0.0, 0.0, 0.3]])
    loss = SoundMatching(network)
    found = loss(stems, sigma, told, noise)
    clean = network.stft(stems)
    noisy = clean + network.stft(noise) * sigma[:, :, None, None, None]
    error = (network.denoise_told(noisy, sigma, told) - clean).square().sum((2, 3, 4))
    reference = loss._expect_error(clean, noisy, sigma, told)
    expected = (error / reference)[:, [0, 3]].mean(1)
    torch.testing.assert_close(found, expected)


def test_a_step_lowers_the_loss():
    network = tiny_sound()
    stems, told, noise = draw_batch(2)
    loss = SoundMatching(network)
    sigma = torch.full((2, 4), 0.1)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        value = loss(stems, sigma, told, noise).mean()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0]


def test_figures_of_a_validation(songs, monkeypatch):
    monkeypatch.setattr(sound_matching, "CROPS", 2)
    corpus = Corpus(songs / "validation", STEMS, 22050)
    validation = SoundValidation(corpus, make_codes(), 8192)
    network = SketchUnet(TINY_SOUND)
    figures = validation.score(network)
    losses = [figures[f"loss_{sigma:g}"] for sigma in SIGMAS]
    assert all(0 < loss < 1 for loss in losses)
    assert figures["figure"] == pytest.approx(-np.mean(losses))
    assert figures == validation.score(network)
    assert network.training
    worse = validation.score(tiny_sound())
    assert worse["figure"] != figures["figure"]
