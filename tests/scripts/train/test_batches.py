"""What a step is trained on."""

import pytest
import torch
from conftest import STEMS, TINY_PRIOR

from msdm_cli.representations.envelope import ENVELOPE_BANDS
from msdm_cli.representations.sketch import BANDS
from msdm_cli.tasks.controls import count_features
from scripts.train.batches import draw_batch, draw_batches
from scripts.train.recipes import RECIPES

LENGTHS = {"stft_unet": 8192, "unet1d": 8192, "sketch_envelope": 8192, "sketch_prior": 8}


@pytest.fixture(params=RECIPES)
def recipe(request, codes_path):
    name = request.param
    options = {"batch": 2, "length": LENGTHS[name], "steps": 5, "codes": str(codes_path)}
    return RECIPES[name].changed({"options": options})


def test_batches_are_those_of_their_steps(songs, recipe):
    corpus = recipe.material.open(songs / "train", STEMS)
    drawn = list(draw_batches(corpus, recipe, start=2, rank=1))
    assert len(drawn) == 3
    for step, batch in enumerate(drawn, start=2):
        expected = draw_batch(corpus, recipe, step, rank=1)
        for part, other in zip(batch, expected, strict=True):
            assert torch.equal(part, other)
    other_process = draw_batch(corpus, recipe, 2, rank=0)
    for other in (drawn[1], other_process):
        assert not torch.equal(drawn[0][0], other[0])
        assert not torch.equal(drawn[0][-1], other[-1])
    assert not torch.equal(drawn[0][-1][0], drawn[0][-1][1])
    other_seed = draw_batch(corpus, recipe.changed({"options": {"seed": 1}}), 2, rank=1)
    assert not torch.equal(drawn[0][-1], other_seed[-1])


SHAPES = {
    "stft_unet": ((4, 8192), (4,), (), (4, 8192)),
    "unet1d": ((4, 8192), (4,), (), (4, 8192)),
    "sketch_envelope": ((4, BANDS + 1, 16), (4, ENVELOPE_BANDS, 64)),
    "sketch_prior": ((4, BANDS, 32), (4, 8), (8, count_features(4)), (4, 8 * 48)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_parts_of_a_batch_have_their_shapes(songs, codes_path, name):
    options = {"batch": 3, "length": LENGTHS[name], "codes": str(codes_path)}
    recipe = RECIPES[name].changed({"options": options})
    corpus = recipe.material.open(songs / "train", STEMS)
    batch = draw_batch(corpus, recipe, 0, rank=0)
    assert tuple(tuple(part.shape) for part in batch) == tuple(
        (3, *shape) for shape in SHAPES[name]
    )
    assert {part.dtype for part in batch} == {torch.float32}
    assert all(not part.isnan().any() for part in batch)


def test_sketches_have_as_many_codes_as_the_network(songs):
    recipe = RECIPES["sketch_prior"].changed({"options": {"batch": 1, "length": 8}})
    corpus = recipe.material.open(songs / "train", STEMS)
    noise = draw_batch(corpus, recipe.sized(TINY_PRIOR), 0, rank=0)[3]
    assert noise.shape == (1, 4, 8 * TINY_PRIOR.coefficients)
