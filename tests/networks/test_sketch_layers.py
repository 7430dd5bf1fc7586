import pytest
import torch

from msdm_cli.networks.sketch_layers import (
    Attention,
    GroupLinear,
    LevelEmbedding,
    SketchLayer,
    rotate,
    rotate_by_time,
)

ROUNDING = 1e-5
WIDTH = 16
BOUNDS = (1e-2, 200.0)


@pytest.fixture(autouse=True)
def same_numbers():
    torch.manual_seed(3)


def test_each_group_has_a_map_of_its_own():
    linear = GroupLinear(3, 5, 4)
    x = torch.randn(2, 3, 6, 5)
    found = linear(x)
    for group in range(3):
        expected = x[:, group] @ linear.weight[group] + linear.bias[group]
        torch.testing.assert_close(found[:, group], expected)


def test_rotation_keeps_lengths_and_turns_by_the_distance_alone():
    """The product of a query and a key depends on how far apart they are (arXiv 2104.09864)."""
    rotation = rotate_by_time(12, 8, torch.zeros(1))
    query, key = torch.randn(2, 8)
    queries, keys = (rotate(x.expand(12, 8), rotation) for x in (query, key))
    torch.testing.assert_close(queries.norm(dim=1), query.norm().expand(12))
    torch.testing.assert_close(queries[0], query)
    products = queries @ keys.T
    for distance in range(-11, 12):
        diagonal = torch.diagonal(products, distance)
        torch.testing.assert_close(
            diagonal, diagonal[:1].expand_as(diagonal), atol=ROUNDING, rtol=0
        )


def test_rotation_is_that_of_complex_numbers():
    x = torch.randn(5, 4)
    turned = rotate(x, rotate_by_time(5, 4, x))
    place = torch.arange(5)
    for pair, speed in enumerate((1.0, 1e-2)):
        expected = torch.complex(x[:, pair], x[:, pair + 2]) * torch.exp(1j * speed * place)
        torch.testing.assert_close(
            torch.complex(turned[:, pair], turned[:, pair + 2]), expected, atol=ROUNDING, rtol=0
        )


def test_attention_is_softmax_of_products():
    attention = Attention(WIDTH, heads=2)
    torch.nn.init.normal_(attention.out.weight)
    x = torch.randn(3, 7, WIDTH)
    query, key, value = attention.qkv(x).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
    weights = torch.softmax(query @ key.transpose(2, 3) / 8**0.5, -1)
    expected = attention.out((weights @ value).transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x, None), expected, atol=ROUNDING, rtol=0)


def test_a_layer_is_the_same_in_training_and_after():
    layer = SketchLayer(WIDTH, 2, across=True)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    x = torch.randn(2, 4, 6, WIDTH)
    level = torch.randn(2, 4, 6, SketchLayer.MODULATIONS, WIDTH)
    rotation = rotate_by_time(6, WIDTH // 2, x)
    trained = layer(x, level, rotation)
    expected = layer.eval()(x, level, rotation)
    assert not torch.equal(trained, expected), "two ways to compute it"
    # Float32 rounding of numbers of the order of 100.
    torch.testing.assert_close(trained, expected, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("across", [True, False])
def test_a_layer_begins_as_nothing(across):
    layer = SketchLayer(WIDTH, 2, across=across)
    x = torch.randn(2, 4, 6, WIDTH)
    level = torch.randn(2, 4, 6, SketchLayer.MODULATIONS, WIDTH)
    assert torch.equal(layer(x, level, rotate_by_time(6, WIDTH // 2, x)), x)


@pytest.mark.parametrize("across", [True, False])
@torch.no_grad()
def test_stems_hear_each_other_where_they_have_tokens_of_their_own(across):
    layer = SketchLayer(WIDTH, 2, across=across)
    for weight in layer.parameters():
        weight.add_(0.1 * torch.randn_like(weight))
    x = torch.randn(1, 4, 6, WIDTH)
    changed = x.clone()
    changed[:, 1, 2] = torch.randn(WIDTH)
    level = torch.zeros(1, 4, 6, SketchLayer.MODULATIONS, WIDTH)
    rotation = rotate_by_time(6, WIDTH // 2, x)
    moved = (layer(changed, level, rotation) != layer(x, level, rotation)).any(3)[0]
    assert moved[1].all()
    # Across stems at the same instant, after attention along time within the stem.
    assert moved[[0, 2, 3]].all() if across else not moved[[0, 2, 3]].any()


def embed(sigma, groups=1, stems_per_group=1):
    embedding = LevelEmbedding(groups, stems_per_group, WIDTH, BOUNDS)
    torch.nn.init.normal_(embedding.leave.weight)
    return embedding(sigma)


def test_levels_are_told_at_each_token():
    sigma = torch.tensor([[[0.02, 1.0, 1.0]], [[5.0, 1.0, 1e-3]]])
    found = embed(sigma)
    assert found.shape == (2, 1, 3, SketchLayer.MODULATIONS, WIDTH)
    torch.testing.assert_close(found[0, :, 1], found[1, :, 1])
    assert not torch.allclose(found[0, :, 0], found[0, :, 1])


def test_levels_beyond_the_bounds_are_those_at_the_bounds():
    sigma = torch.tensor([[[0.0, 1e-3, 1e-2, 200.0, 1e4]]])
    found = embed(sigma)[0, 0]
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[1], found[2])
    torch.testing.assert_close(found[3], found[4])


@pytest.mark.parametrize(("groups", "stems_per_group"), [(1, 4), (4, 1)])
def test_stems_in_one_group_share_what_they_are_told(groups, stems_per_group):
    found = embed(torch.rand(2, 4, 3) + 0.1, groups, stems_per_group)
    assert found.shape == (2, groups, 3, SketchLayer.MODULATIONS, WIDTH)
