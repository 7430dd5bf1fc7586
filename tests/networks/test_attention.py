"""Attention, fused and written out."""

import pytest
import torch

from msdm_cli.networks.attention import attend

ROUNDING = 1e-6


@pytest.mark.parametrize("biased", [True, False])
def test_with_gradients_it_is_what_it_is_without(biased):
    query, key, value = torch.randn(3, 2, 4, 9, 8, generator=torch.Generator().manual_seed(1))
    bias = torch.linspace(-3, 0, 4 * 81).view(1, 4, 9, 9) if biased else None
    with torch.no_grad():
        fused = attend(query, key, value, bias)
    torch.testing.assert_close(attend(query, key, value, bias), fused, atol=ROUNDING, rtol=0)


def test_a_query_that_matches_one_key_gets_its_value():
    keys = torch.eye(8)[None, None]
    values = torch.arange(8.0)[None, None, :, None].expand(1, 1, 8, 8)
    found = attend(1e3 * keys[:, :, 3:4], keys, values)
    torch.testing.assert_close(found, torch.full((1, 1, 1, 8), 3.0))
