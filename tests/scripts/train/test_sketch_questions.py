"""What the prior over sketches is asked."""

import dataclasses
import json
import shutil
from statistics import NormalDist

import numpy as np
import pytest
from conftest import STEMS

from msdm_cli.tasks.controls import TEMPO_FEATURES
from scripts.train.recipes import RECIPES
from scripts.train.sketch_corpus import SketchAugmentation, SketchCorpus, find_playing
from scripts.train.sketch_questions import SketchQuestions, describe_crop, draw_sketch_item

TOKENS = 32
PLAIN = SketchQuestions(independent=0, impute=0, known_span=0)
FACTS = {"tempo": 100, "meter": "3/4", "key": "C major", "style": "waltz"}


@pytest.fixture(scope="module")
def corpus(songs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    shutil.copytree(songs / "train" / "Track00000", folder / "Track00000")
    (folder / "Track00000" / "metadata.json").write_text(json.dumps(FACTS))
    return SketchCorpus(folder, STEMS)


def draw_many(questions, count=2000, stems=4):
    rng = np.random.default_rng(0)
    return np.stack([questions.draw(rng, stems, TOKENS, rng.random()) for _ in range(count)])


def test_the_first_sigma_is_the_quantile_of_a_log_normal():
    rng = np.random.default_rng(0)
    for quantile in (0.1, 0.5, 0.9):
        levels = PLAIN.draw(rng, 4, TOKENS, quantile)
        expected = np.exp(NormalDist(PLAIN.log_mean, PLAIN.log_deviation).inv_cdf(quantile))
        np.testing.assert_allclose(levels, expected)
    for quantile in (0.0, 1.0):
        assert np.isfinite(PLAIN.draw(rng, 4, TOKENS, quantile)).all()


def test_a_batch_has_a_sigma_from_every_part_of_the_distribution(corpus):
    recipe = dataclasses.replace(RECIPES["sketch_prior"], questions=PLAIN).changed(
        {"options": {"batch": 8, "length": 4}}
    )
    normal = NormalDist(PLAIN.log_mean, PLAIN.log_deviation)
    for item in range(8):
        rng = np.random.default_rng(item)
        _, sigma, _, _ = recipe.material.draw(corpus, recipe, rng, item)
        assert int(normal.cdf(np.log(sigma[0, 0])) * 8) == item


def test_shares_of_the_questions():
    levels = draw_many(dataclasses.replace(SketchQuestions(), known_span=0))
    first = levels[:, :, 0]
    imputed = (first == 0).any(1)
    # 2000 draws: four deviations of a share are below 0.04.
    assert imputed.mean() == pytest.approx(0.25, abs=0.04)
    absent = np.isinf(first).any(1)
    assert absent.mean() == pytest.approx(0.25 * 0.2, abs=0.02)
    assert not (absent & ~imputed & (np.isinf(first).sum(1) > 1)).any()
    alike = (first == first[:, :1]).all(1)
    assert alike.mean() == pytest.approx(0.6, abs=0.045)
    assert (levels == levels[:, :, :1]).all()


def test_something_is_always_asked():
    levels = draw_many(SketchQuestions())
    assert ((levels > 0) & np.isfinite(levels)).any((1, 2)).all()


def test_what_came_before_or_after_is_known():
    levels = draw_many(dataclasses.replace(PLAIN, known_span=1.0))
    known = levels == 0
    assert (known == known[:, :1]).all()
    known = known[:, 0]
    before, after = known[:, 0], known[:, -1]
    assert before.mean() == pytest.approx(0.85, abs=0.04)
    # After, in 0.3 of the draws, where there is room for it beside a long stretch before.
    assert 0.23 < after.mean() < 0.33
    assert (before | after).mean() > 0.97
    for row in known:
        # One stretch is open, and it is in one piece.
        assert np.abs(np.diff(row.astype(int))).sum() == row[0].astype(int) + row[-1]
    assert draw_many(PLAIN).min() > 0


def ask(corpus, seed=0, **fields):
    augmentation = dataclasses.replace(SketchAugmentation(), **fields)
    rng = np.random.default_rng(seed)
    return draw_sketch_item(corpus, SketchQuestions(), augmentation, rng, (TOKENS, 6), 0.5)


def test_an_item_is_a_function_of_its_numbers(corpus):
    for one, two in zip(ask(corpus, 3), ask(corpus, 3), strict=True):
        np.testing.assert_array_equal(one, two)
    assert (ask(corpus, 3)[3] != ask(corpus, 4)[3]).all()


def test_controls_say_who_plays_unless_they_are_held_back(corpus):
    sketch, _, told, _ = ask(corpus, untold=0, dropped=0)
    np.testing.assert_array_equal(told[:, -4:], np.where(find_playing(sketch), 1, -1).T)
    assert (told[:, 0] == 1).all()
    assert not ask(corpus, untold=1, dropped=0)[2].any()
    assert not ask(corpus, untold=0, dropped=1)[2].any()
    some = [ask(corpus, seed, untold=0)[2] for seed in range(40)]
    told_stems = np.stack([told[:, -4:].any(0) for told in some])
    assert told_stems.mean() == pytest.approx(0.7, abs=0.15)


def test_beats_of_a_crop_are_those_of_the_song(corpus):
    """A crop of a later time hears the phases of that time, though it begins within a token."""
    first = corpus.crop(np.random.default_rng(0), TOKENS * 4)
    for shift in (4, 8):
        later = dataclasses.replace(first, first=first.first + shift)
        one, two = (describe_crop(crop, 4)[:, :TEMPO_FEATURES] for crop in (first, later))
        np.testing.assert_allclose(one[shift // 4 :], two[: -shift // 4], atol=1e-4)
    within = dataclasses.replace(first, first=first.first + 2)
    half = describe_crop(within, 4)[:, 2:4]
    whole = describe_crop(first, 4)[:, 2:4]
    seconds = 2 * 512 / 22050
    turned = np.arctan2(half[:, 0], half[:, 1]) - np.arctan2(whole[:, 0], whole[:, 1])
    # A bar of three quarters at 100 a minute is 1.8 s.
    np.testing.assert_allclose(turned % (2 * np.pi), 2 * np.pi * seconds / 1.8, atol=1e-4)


def test_a_prior_of_one_stem_is_not_asked_to_impute():
    alone = dataclasses.replace(SketchQuestions(), impute=0)
    assert not alone.relates
    assert SketchQuestions().relates
    assert draw_many(alone, 50, stems=1).shape == (50, 1, TOKENS)
