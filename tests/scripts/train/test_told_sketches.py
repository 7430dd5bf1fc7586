"""Sketches with envelopes, and their errors."""

import dataclasses

import numpy as np
import pytest
from conftest import STEMS, make_codes

from msdm_cli.representations.envelope import ENVELOPE_BANDS, find_envelope
from msdm_cli.representations.sketch import BANDS, CEILING, FLOOR, MARGIN, find_sketch
from scripts.train.corpus import Augmentation, Corpus
from scripts.train.told_sketches import (
    LARGEST_DEVIATION,
    SketchBlur,
    blur,
    draw_envelope_item,
    draw_told,
    open_codes,
    tell,
)

ROUNDING = 1e-3
TOKENS = 5


def draw_sketch(stems=4, seed=0):
    shape = (stems, BANDS, 4 * TOKENS)
    return np.random.default_rng(seed).uniform(-5, -1, shape).astype(np.float32)


def test_without_noise_a_sketch_is_what_its_codes_keep():
    codes = make_codes()
    sketch = draw_sketch()
    blurred = blur(codes, sketch, np.ones((4, TOKENS, codes.numbers), np.float32), 0.0)
    np.testing.assert_allclose(blurred, codes.decode(codes.encode(sketch)), atol=ROUNDING)
    again = blur(codes, blurred, np.ones((4, TOKENS, codes.numbers), np.float32), 0.0)
    np.testing.assert_allclose(again, blurred, atol=ROUNDING)


def test_noise_is_in_deviations_of_the_components_up_to_the_largest():
    codes = make_codes()
    codes.variance[:, 0] = 900
    sketch = draw_sketch()
    noise = np.random.default_rng(1).standard_normal((4, TOKENS, codes.numbers), dtype=np.float32)
    # A mean between them keeps floor and ceiling out of it.
    middle = (FLOOR + CEILING) / 2
    codes = dataclasses.replace(codes, mean=np.full_like(codes.mean, middle))
    moved = codes.encode(blur(codes, sketch, noise, 0.5)) - codes.encode(sketch)
    deviation = np.sqrt(codes.variance)[:, None].copy()
    deviation[:, :, 0] = LARGEST_DEVIATION
    expected = (0.5 * noise * deviation).reshape(4, -1)
    np.testing.assert_allclose(moved, expected, atol=0.01)


def test_the_size_of_the_errors_is_told():
    true = draw_sketch()
    wrong = true.copy()
    wrong[1] += 0.5
    wrong[2, 0] += 3
    told = tell(wrong, true)
    assert told.shape == (4, BANDS + 1, 4 * TOKENS)
    assert told.dtype == np.float32
    np.testing.assert_array_equal(told[:, :-1], wrong)
    expected = [0, 0.5, 3 / np.sqrt(BANDS), 0]
    np.testing.assert_allclose(
        told[:, -1], np.repeat(np.array(expected)[:, None], 4 * TOKENS, 1), atol=ROUNDING
    )


@pytest.fixture
def corpus(songs):
    return Corpus(songs / "train", STEMS, 22050)


def draw(corpus, prior, seed, **fields):
    rng = np.random.default_rng(seed)
    return draw_envelope_item(corpus, str(prior), SketchBlur(**fields), Augmentation(), rng, 8192)


def test_an_item_is_a_function_of_its_numbers(corpus, codes_path):
    for redrawn in (0.0, 1.0):
        one, again, other = (draw(corpus, codes_path, seed, redrawn=redrawn) for seed in (3, 3, 4))
        for part, same in zip(one, again, strict=True):
            np.testing.assert_array_equal(part, same)
        assert (one[0] != other[0]).mean() > 0.9


def test_sketch_and_envelope_are_those_of_the_same_stems(corpus, codes_path):
    told, envelope = draw(corpus, codes_path, 1, blur=0, redrawn=0)
    rng = np.random.default_rng(1)
    around = corpus.augmented(rng, 8192 + 2 * MARGIN, Augmentation())
    assert (told.shape, envelope.shape) == ((4, BANDS + 1, 16), (4, ENVELOPE_BANDS, 64))
    codes, true = open_codes(str(codes_path)), find_sketch(around)
    np.testing.assert_allclose(told, tell(codes.decode(codes.encode(true)), true), atol=0.01)
    # Two frames at the ends reach beyond the crop.
    stems = around[:, MARGIN:-MARGIN]
    np.testing.assert_allclose(envelope[..., 2:-2], find_envelope(stems)[..., 2:-2], atol=1e-5)


def test_some_sketches_are_drawn_again_by_the_prior(corpus, codes_path):
    """They are more wrong, and that is told; the envelope is the true one."""
    plain, again = (
        draw(corpus, codes_path, 1, blur=0, redrawn=redrawn, sigma_low=3.0) for redrawn in (0, 1)
    )
    assert (again[0][:, -1] > plain[0][:, -1]).all()
    np.testing.assert_array_equal(plain[1], again[1])


def test_blurred_sketches_tell_larger_errors(corpus):
    codes = make_codes()
    around = corpus.crop(np.random.default_rng(0), 8192 + 2 * MARGIN)
    errors = [
        draw_told(around, codes, np.random.default_rng(1), size)[:, -1].mean()
        for size in (0.0, 0.5, 2.0)
    ]
    assert errors == sorted(errors)
    assert errors[0] > 0


def test_codes_are_read_once(codes_path):
    assert open_codes(str(codes_path)) is open_codes(str(codes_path))
