"""The loss of the network that guesses envelopes."""

import pytest
import torch
from conftest import STEMS, TINY_ENVELOPE, make_codes, tiny_envelope

from msdm_cli.networks.sketch_envelope import MARGIN_FRAMES, SketchEnvelope
from msdm_cli.representations.envelope import LOWEST, STEPS_PER_FRAME
from msdm_cli.representations.sketch import BANDS
from scripts.train import envelope_matching
from scripts.train.corpus import Corpus
from scripts.train.envelope_matching import EnvelopeMatching, EnvelopeValidation


class Fixed(torch.nn.Module):
    """Guesses one envelope."""

    def __init__(self, guess):
        super().__init__()
        self.guess = guess

    def find(self, told):
        return self.guess


def test_the_error_of_an_envelope():
    """Silence may be guessed to be deeper, and the ends do not count."""
    edge = MARGIN_FRAMES * STEPS_PER_FRAME
    envelope = torch.full((1, 1, 2, 4 * edge), -2.0)
    envelope[:, :, 0] = LOWEST
    guess = envelope.clone()
    guess[:, :, 0] = LOWEST - 3
    guess[..., :edge] = guess[..., -edge:] = 5
    loss = EnvelopeMatching(Fixed(guess))
    assert loss(None, envelope).item() == 0
    guess[:, :, 1, edge:-edge] += 0.5
    assert loss(None, envelope).item() == pytest.approx(0.25)


def test_a_step_lowers_the_loss():
    network = tiny_envelope()
    told = torch.full((2, 4, BANDS + 1, 24), -3.0)
    wanted = torch.full_like(network.find(told), -2.0)
    loss = EnvelopeMatching(network)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        value = loss(told, wanted).mean()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0]


def test_figures_of_a_validation(songs, monkeypatch):
    monkeypatch.setattr(envelope_matching, "CROPS", 2)
    corpus = Corpus(songs / "validation", STEMS, 22050)
    validation = EnvelopeValidation(corpus, make_codes(), 8192)
    network = SketchEnvelope(TINY_ENVELOPE)
    figures = validation.score(network)
    assert figures["figure"] == -figures["error"] < 0
    assert figures == validation.score(network)
    assert network.training
    assert validation.score(tiny_envelope())["error"] != figures["error"]
