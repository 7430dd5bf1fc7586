"""What a step is trained on."""

import dataclasses

import torch
from conftest import STEMS

from scripts.train.batches import draw_batch, draw_batches
from scripts.train.corpus import Corpus
from scripts.train.recipes import RECIPES

OPTIONS = {"batch": 2, "length": 8192, "steps": 5}


def test_batches_are_those_of_their_steps(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    for recipe in RECIPES.values():
        options = dataclasses.replace(recipe.options, **OPTIONS)
        drawn = list(draw_batches(corpus, recipe, options, start=2, rank=1))
        assert len(drawn) == 3
        for step, batch in enumerate(drawn, start=2):
            expected = draw_batch(corpus, recipe, options, step, rank=1)
            for part, other in zip(batch, expected, strict=True):
                assert torch.equal(part, other)
        assert not torch.equal(drawn[0][0], drawn[1][0])
        assert not torch.equal(drawn[0][3], draw_batch(corpus, recipe, options, 2, rank=0)[3])


def test_parts_of_a_batch_have_their_shapes(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    recipe = RECIPES["stft_unet"]
    options = dataclasses.replace(recipe.options, **OPTIONS)
    stems, sigma, given, noise = draw_batch(corpus, recipe, options, 0, rank=0)
    assert stems.shape == noise.shape == (2, 4, 8192)
    assert sigma.shape == (2, 4)
    assert given.shape == (2,)
    assert {part.dtype for part in (stems, sigma, given, noise)} == {torch.float32}
