"""The separator of the package demucs, as a denoiser."""

import sys
from dataclasses import asdict, replace

import pytest
import torch
from small_demucs import SAMPLE_RATE, SEGMENT, SETTINGS, make_separator
from torch import nn

from msdm_cli.errors import MissingPackage
from msdm_cli.models.bounded_build import UNBUILDABLE
from msdm_cli.networks.demucs import Demucs, DemucsConfig, find_chunk_length

STEMS = 3
LENGTH = 4096
ROUNDING = 1e-5  # of a transform in single precision and its inverse, at full scale
CONFIG = DemucsConfig(STEMS, SAMPLE_RATE, SEGMENT.as_integer_ratio(), SETTINGS)


class Shares(nn.Module):
    """Gives each stem a share of what it hears, and keeps that."""

    def __init__(self, *shares):
        super().__init__()
        self.shares = torch.tensor(shares)
        self.heard = []

    def forward(self, pairs):
        self.heard.append(pairs)
        return self.shares[None, :, None, None] * pairs[:, None]


@pytest.fixture
def network():
    separator = make_separator("abc")
    network = Demucs(CONFIG)
    network.separator.load_state_dict(separator.state_dict(), assign=True)
    return network.eval().requires_grad_(False)


def draw(channels=2):
    torch.manual_seed(0)
    return 0.1 * torch.randn(channels, LENGTH)


def ask(network, mixture, x=None, sigma=1.0):
    levels = torch.broadcast_to(torch.as_tensor(sigma), (len(mixture), STEMS)).float()
    silence = torch.zeros(len(mixture), STEMS, mixture.shape[1])
    return network(silence if x is None else x, levels, mixture)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_stems_sum_to_the_mixture(network, channels):
    mixture = draw(channels)
    torch.testing.assert_close(ask(network, mixture).sum(1), mixture, atol=ROUNDING, rtol=0)


def test_neighbouring_channels_are_heard_as_the_two_sides(network):
    mixture = draw(4)
    theirs = network.separator(mixture.reshape(2, 2, LENGTH))
    found = network._separate(mixture)
    for channel in range(4):
        torch.testing.assert_close(found[channel], theirs[channel // 2, :, channel % 2])


def test_a_single_channel_is_heard_as_both_sides(network):
    mixture = draw(1)
    both = network.separator(mixture.repeat(2, 1)[None])[0].mean(1)
    torch.testing.assert_close(network._separate(mixture)[0], both)


def test_what_the_stems_lack_goes_where_they_sound(network):
    network.separator = Shares(0.5, 0.25, 0.0)
    mixture = draw()
    found = ask(network, mixture)
    # The powers of the stems are as 4 to 1 to 0, in every bin.
    for stem, expected in enumerate((0.5 + 0.25 * 0.8, 0.25 + 0.25 * 0.2, 0.0)):
        torch.testing.assert_close(found[:, stem], expected * mixture, atol=1e-4, rtol=0)


def test_what_is_given_is_not_heard_again(network):
    separator = Shares(0.0, 0.0, 1.0)
    network.separator = separator
    mixture, given = draw(), 0.3 * draw()
    x = torch.zeros(2, STEMS, LENGTH)
    x[:, 0] = given
    found = ask(network, mixture, x, torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(separator.heard[0][0], mixture - given)
    torch.testing.assert_close(found[:, 0], given)
    torch.testing.assert_close(found[:, 2], mixture - given, atol=ROUNDING, rtol=0)


def test_a_given_stem_with_noise_is_corrected(network):
    network.separator = Shares(0.0, 0.0, 0.5)
    mixture = draw()
    x = torch.zeros(2, STEMS, LENGTH)
    x[:, 0] = 0.5 * mixture
    found = ask(network, mixture, x, torch.tensor([0.1, 0.0, 1.0]))
    # Stem 2 is heard as half of the half that is left; powers are as 4 to 1.
    torch.testing.assert_close(found[:, 0], 0.7 * mixture, atol=1e-4, rtol=0)
    torch.testing.assert_close(found[:, 2], 0.3 * mixture, atol=1e-4, rtol=0)


def test_without_a_mixture_the_sum_stands_for_it(network):
    x = draw()[:, None].repeat(1, STEMS, 1)
    levels = torch.ones(2, STEMS)
    torch.testing.assert_close(network(x, levels), network(x, levels, x.sum(1)))


def test_layers_compute_in_half_precision(network):
    mixture = draw()
    expected = ask(network, mixture)
    network.cast(torch.bfloat16)
    found = ask(network, mixture)
    assert found.dtype == torch.float32
    error = (found - expected).square().mean().sqrt()
    assert 0 < error < 2**-5 * expected.square().mean().sqrt()  # some roundings to 8 bits


def test_music_can_be_played_slower_in_its_longest_chunk():
    for seconds in (3, 39):
        config = DemucsConfig(STEMS, 44100, (seconds, 5), SETTINGS)
        multiple = config.length_multiple
        count, rest = divmod(find_chunk_length(config, 1.06), multiple)
        assert rest == 0
        assert round(count * 1.06) * multiple <= config.longest
        assert round((count + 1) * 1.06) * multiple > config.longest


@pytest.mark.parametrize(
    "changed",
    [
        {"stems": 0},
        {"sample_rate": -1},
        {"segment": (3, 0)},
        {"segment": (3000, 2)},
        {"segment": (1, 100)},
        {"settings": {"channels": {"a": 1}}},
        {"settings": {"channels": [[1]]}},
        {"settings": {"t_sparse_self_attn": True}},
    ],
)
def test_settings_of_nonsense_are_refused(changed):
    with pytest.raises(ValueError, match="expected"):
        DemucsConfig(**{**asdict(CONFIG), **changed})


def test_settings_that_the_package_refuses_are_refused():
    make_separator()
    with pytest.raises(UNBUILDABLE):
        Demucs(replace(CONFIG, settings={**SETTINGS, "t_heads": 7}))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "demucs.htdemucs", None)
    with pytest.raises(MissingPackage, match="need the package demucs") as raised:
        Demucs(CONFIG)
    assert "pip install demucs" in raised.value.remedy
