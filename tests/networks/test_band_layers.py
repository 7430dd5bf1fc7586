import pytest
import torch

from msdm_cli.networks.band_layers import (
    BandLinear,
    ResidualBlock,
    SigmaEmbedding,
    TransformerLayer,
)

BANDS = ((2, 3), (1, 4))


def test_a_new_block_returns_its_first_inputs():
    x = torch.randn(1, 24, 4, 6)
    torch.testing.assert_close(ResidualBlock(24, 8, 16, 4)(x, torch.randn(1, 16)), x[:, :8])


@pytest.mark.parametrize("time", [True, False])
def test_a_new_transformer_layer_changes_nothing(time):
    x = torch.randn(1, 4, 6, 16)
    torch.testing.assert_close(TransformerLayer(16, 4, time=time)(x), x)


def transformer_layer(*, time):
    torch.manual_seed(2)
    layer = TransformerLayer(16, 4, time=time)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    return layer


@pytest.mark.parametrize(("time", "reached"), [(True, (3, slice(None))), (False, (slice(None), 5))])
def test_attention_stays_in_its_band_or_token(time, reached):
    layer = transformer_layer(time=time)
    x = torch.randn(1, 6, 8, 16)
    other = x.clone()
    other[:, 3, 5] = torch.randn(16)
    moved = (layer(other) - layer(x)).abs().amax((0, 3)) > 1e-4
    expected = torch.zeros(6, 8, dtype=torch.bool)
    expected[reached] = True
    assert torch.equal(moved, expected)


def test_attention_along_time_tells_before_from_after_and_near_from_far():
    layer = transformer_layer(time=True)
    x = torch.randn(1, 1, 64, 16)
    assert (layer(x.flip(2)).flip(2) - layer(x)).abs().max() > 0.1
    other = x.clone()
    other[:, :, 32] = torch.randn(16)
    moved = (layer(other) - layer(x)).abs().amax((0, 1, 3))
    assert moved[24:32].mean() > 2 * moved[:8].mean()
    assert moved[33:41].mean() > 2 * moved[-8:].mean()
    over_bands = transformer_layer(time=False)
    torch.testing.assert_close(
        over_bands(x.transpose(1, 2).flip(1)).flip(1), over_bands(x.transpose(1, 2))
    )


def test_attention_is_the_same_with_and_without_gradients():
    layer = transformer_layer(time=True)
    x = torch.randn(2, 3, 20, 16)
    with torch.no_grad():
        fused = layer(x)
    # Float32 rounding of numbers of the order of 10.
    torch.testing.assert_close(layer(x), fused, atol=1e-4, rtol=1e-4)


def split_and_merge():
    torch.manual_seed(3)
    split = BandLinear(BANDS, 2, features=2, channels=32, split=True)
    merge = BandLinear(BANDS, 2, features=2, channels=32, split=False)
    return split, merge


def test_tokens_hold_the_bins_of_their_band():
    split, _ = split_and_merge()
    x = torch.randn(1, 2, 10, 8)
    other = x.clone()
    other[:, :, 4, 5] += 1
    moved = (split(other) - split(x)).abs().amax((0, 1)) > 1e-5
    expected = torch.zeros(3, 4, dtype=torch.bool)
    # Bin 4 is in the second band of 3 bins, frame 5 in the third token of 2 frames.
    expected[1, 2] = True
    assert torch.equal(moved, expected)


def test_merging_can_undo_splitting():
    split, merge = split_and_merge()
    for index, weight in enumerate(split.weights):
        merge.weights[index].data = torch.linalg.pinv(weight.data)
    x = torch.randn(2, 2, 10, 8)
    # Float32 rounding of two products with well-conditioned random matrices.
    torch.testing.assert_close(merge(split(x)), x, atol=1e-4, rtol=1e-4)


def test_the_last_layer_starts_at_zero():
    _, merge = split_and_merge()
    assert not merge(torch.randn(1, 32, 3, 4)).any()


def test_noise_levels_beyond_the_bounds_count_as_the_bounds():
    embed = SigmaEmbedding(2, 8, (0.01, 10.0))
    given = torch.zeros(1)
    low = embed(torch.tensor([[0.0, 1.0]]), given)
    torch.testing.assert_close(low, embed(torch.tensor([[0.01, 1.0]]), given))
    assert not torch.allclose(low, embed(torch.tensor([[0.1, 1.0]]), given))
    assert not torch.allclose(low, embed(torch.tensor([[0.01, 1.0]]), torch.ones(1)))
