"""What networks are trained on: each material opens, measures and validates."""

import numpy as np
import pytest
import torch
from conftest import STEMS, TINY, TINY_PRIOR

from scripts.train import envelope_matching, initial, paper, sketch_matching, validation
from scripts.train.envelope_matching import EnvelopeValidation
from scripts.train.initial import measure_sd
from scripts.train.paper import PaperValidation
from scripts.train.recipes import RECIPES
from scripts.train.sketch_matching import SketchValidation
from scripts.train.validation import Validation

VALIDATIONS = {
    "stft_unet": (Validation, 8192),
    "unet1d": (PaperValidation, 8192),
    "sketch_prior": (SketchValidation, 8),
    "sketch_envelope": (EnvelopeValidation, 8192),
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(initial, "SD_CROPS", 2)
    for module in (envelope_matching, paper, sketch_matching, validation):
        monkeypatch.setattr(module, "CROPS", 2)


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_is_chosen_by_figures_of_its_own(name, songs, codes_path):
    kind, length = VALIDATIONS[name]
    recipe = RECIPES[name].changed({"options": {"codes": str(codes_path)}})
    corpus = recipe.material.open(songs / "validation", STEMS)
    assert corpus.songs == ["Track00000", "Track00001"]
    assert isinstance(recipe.material.validation(corpus, recipe, length), kind)


def test_a_separator_knows_the_spectra_of_the_songs(songs):
    recipe = RECIPES["stft_unet"].changed({"options": {"length": 8192}})
    corpus = recipe.material.open(songs / "train", STEMS)
    network = recipe.network(TINY)
    recipe.material.measure(network, corpus, recipe)
    expected = measure_sd(corpus, network, recipe.options, recipe.augmentation)
    assert torch.equal(network.sd, expected)


def test_a_prior_over_sketches_knows_its_codes(songs):
    recipe = RECIPES["sketch_prior"]
    corpus = recipe.material.open(songs / "train", STEMS)
    network = recipe.network(TINY_PRIOR)
    recipe.material.measure(network, corpus, recipe)
    assert np.allclose(network.basis.square().sum(1), 1, atol=1e-5)
