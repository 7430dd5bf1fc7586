"""The layers of the paper's network; test_unet1d.py compares all of them with the authors'."""

import dataclasses
import math

import pytest
import torch

from msdm_cli.networks.unet1d_layers import DownLevel, Unet1dConfig, UpLevel
from scripts.golden import SMALL

EMBEDDING = 4 * SMALL.channels


def rows(length, channels):
    return torch.randn(1, length, channels)


@pytest.mark.parametrize(("level", "factor"), [(0, 4), (1, 1), (2, 3)])
def test_a_level_shortens_and_lengthens_by_its_factor(level, factor):
    factors = [*SMALL.factors]
    factors[level] = factor
    config = dataclasses.replace(SMALL, factors=factors)
    before, here = (SMALL.channels * SMALL.multipliers[level + more] for more in (0, 1))
    embedding = torch.randn(1, EMBEDDING)
    outputs = DownLevel(level, config, EMBEDDING)(rows(24, before), embedding)
    assert [list(x.shape) for x in outputs] == [[1, 24 // factor, here]] * len(outputs)
    assert len(outputs) == SMALL.num_blocks[level] + SMALL.attentions[level]
    up = UpLevel(level, config, EMBEDDING)
    assert up(outputs[-1], outputs, embedding).shape == (1, 24, before)


def test_what_comes_from_the_way_down_is_scaled_or_not():
    torch.manual_seed(0)
    scaled = UpLevel(0, SMALL, EMBEDDING)
    plain = UpLevel(0, dataclasses.replace(SMALL, skip_scale=False), EMBEDDING)
    plain.load_state_dict(scaled.state_dict())
    here = SMALL.channels * SMALL.multipliers[1]
    x = rows(8, here)
    skips = [rows(8, here) for _ in range(SMALL.num_blocks[0])]
    embedding = torch.randn(1, EMBEDDING)
    smaller = [2**-0.5 * skip for skip in skips]
    expected = plain(x, smaller, embedding)
    torch.testing.assert_close(scaled(x, skips, embedding), expected)
    assert not torch.allclose(plain(x, skips, embedding), expected, atol=1e-3)


@pytest.mark.parametrize(
    "changed",
    [
        {"sigma_data": 0.0},
        {"sigma_data": math.nan},
        {"factors": (4, 0, 3)},
        {"factors": (4, 2)},
        {"multipliers": (2, 2, 2, 3)},
        {"num_blocks": (2, 0, 2)},
        {"channels": 33},
        {"kernel_multiplier": 3},
        {"heads": -1},
    ],
    ids=str,
)
def test_sizes_of_no_network_are_refused(changed):
    with pytest.raises(ValueError, match=next(iter(changed))):
        dataclasses.replace(SMALL, **changed)


def test_lengths_are_multiples_of_all_factors():
    assert SMALL.length_multiple == 4 * 4 * 2 * 3
    assert Unet1dConfig().length_multiple == 8192
