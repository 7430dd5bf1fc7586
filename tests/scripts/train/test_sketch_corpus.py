"""Songs as sketches, and what happens to crops of them."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from conftest import STEMS

from msdm_cli.representations.sketch import (
    BANDS,
    FLOOR,
    HOP,
    LOWEST_HZ,
    MARGIN,
    SAMPLE_RATE_HZ,
    find_sketch,
)
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN
from msdm_cli.tasks.controls import STYLES, Controls
from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.styles import STYLES as COMPOSED
from scripts.train import sketch_corpus
from scripts.train.sketch_corpus import (
    PHRASE_TOKENS,
    SOUNDING,
    SketchAugmentation,
    SketchCorpus,
    find_playing,
    read_controls,
    transpose,
)

HALF_PRECISION = 8 * 2.0**-11
"""In bels: sketches are kept in half precision, and are not below -8."""

STILL = SketchAugmentation(semitones=0, gain_db=0, stem_gain_db=0, silenced=0, untold=0, dropped=0)
FACTS = {"tempo": 96, "meter": "4/4", "key": "Gb minor", "style": "funk"}


@pytest.fixture
def folder(songs, tmp_path):
    """One song of its own, with facts."""
    copy = tmp_path / "songs"
    shutil.copytree(songs / "train" / "Track00000", copy / "Track00000")
    (copy / "Track00000" / "metadata.json").write_text(json.dumps(FACTS))
    return copy


def draw_rng(*keys):
    return np.random.default_rng(keys)


def test_a_song_has_the_sketches_of_its_stems(folder, monkeypatch):
    monkeypatch.setattr(sketch_corpus, "BLOCK_FRAMES", 100)
    corpus = SketchCorpus(folder, STEMS)
    sketch, controls = corpus.load("Track00000")
    stems = corpus.layout.load_stems(folder / "Track00000")
    frames = stems.shape[1] // HOP
    assert frames > 200
    whole = find_sketch(np.pad(stems[:, : frames * HOP], ((0, 0), (MARGIN, MARGIN))))
    np.testing.assert_allclose(sketch, whole, atol=HALF_PRECISION)
    assert controls == read_controls(FACTS)


def test_the_sound_may_go_when_the_sketch_is_there(folder):
    corpus = SketchCorpus(folder, STEMS)
    sketch, controls = corpus.load("Track00000")
    shutil.rmtree(folder / "Track00000")
    again = SketchCorpus(folder, STEMS)
    assert again.songs == ["Track00000"]
    kept, known = again.load("Track00000")
    np.testing.assert_array_equal(sketch, kept)
    assert known == controls


def test_other_stems_have_other_sketches(folder):
    whole, _ = SketchCorpus(folder, STEMS).load("Track00000")
    alone, _ = SketchCorpus(folder, ("drums",)).load("Track00000")
    np.testing.assert_array_equal(alone[0], whole[1])


def test_a_crop_is_a_stretch_of_the_song(folder):
    corpus = SketchCorpus(folder, STEMS)
    whole, _ = corpus.load("Track00000")
    crop = corpus.crop(draw_rng(1), 40)
    np.testing.assert_array_equal(crop.sketch, whole[:, :, crop.first : crop.first + 40])
    assert crop.first != corpus.crop(draw_rng(2), 40).first
    again = corpus.crop(draw_rng(1), 40)
    np.testing.assert_array_equal(again.sketch, crop.sketch)
    long = corpus.crop(draw_rng(1), 1000)
    assert long.sketch.shape == (4, BANDS, 1000)
    np.testing.assert_array_equal(long.sketch[:, :, whole.shape[2] :], FLOOR)


def augment(corpus, seed=0, **fields):
    """A crop before and after."""
    before = corpus.crop(draw_rng(seed), 64)
    return before, corpus.augmented(draw_rng(seed), 64, dataclasses.replace(STILL, **fields))


def test_without_augmentation_a_crop_stays_as_it_is(folder):
    before, after = augment(SketchCorpus(folder, STEMS))
    np.testing.assert_array_equal(before.sketch, after.sketch)
    assert after.controls == before.controls


def test_pitched_stems_and_the_key_move_together(folder):
    corpus = SketchCorpus(folder, STEMS)
    moved = set()
    for seed in range(20):
        before, after = augment(corpus, seed, semitones=2)
        (steps,) = [
            steps
            for steps in range(-2, 3)
            if np.array_equal(after.sketch[0], transpose(before.sketch[0], steps))
        ]
        moved.add(steps)
        for stem in (2, 3):
            np.testing.assert_array_equal(after.sketch[stem], transpose(before.sketch[stem], steps))
        np.testing.assert_array_equal(after.sketch[1], before.sketch[1])
        assert after.controls == before.controls.transposed(steps)
    assert moved == set(range(-2, 3))


def test_levels_move_by_decibels_and_silence_stays(folder):
    corpus = SketchCorpus(folder, STEMS)
    for seed in range(5):
        before, after = augment(corpus, seed, gain_db=4.0, stem_gain_db=3.0)
        silent = before.sketch == FLOOR
        np.testing.assert_array_equal(after.sketch[silent], FLOOR)
        loud = before.sketch > FLOOR + 1
        for stem in range(4):
            moved = (after.sketch - before.sketch)[stem][loud[stem]]
            assert np.ptp(moved) < 1e-5
            assert 0 < abs(moved[0]) <= 0.7
        assert after.sketch.min() >= FLOOR


def test_a_stem_may_rest_and_facts_may_be_held_back(folder):
    corpus = SketchCorpus(folder, STEMS)
    before, after = augment(corpus, silenced=1)
    rests = (after.sketch == FLOOR).all((1, 2))
    assert rests.sum() == 1
    np.testing.assert_array_equal(after.sketch[~rests], before.sketch[~rests])
    assert augment(corpus, untold=1)[1].controls == Controls()
    nothing = augment(corpus, dropped=1)[1].controls
    assert (nothing.tempo, nothing.key, nothing.style) == (None, None, None)


@pytest.mark.parametrize("semitones", [-3, 0, 4])
def test_transposing_a_tone_is_playing_it_higher(semitones):
    time = np.arange(8 * HOP + 2 * MARGIN) / SAMPLE_RATE_HZ
    low, high = (
        find_sketch(0.1 * np.sin(2 * np.pi * LOWEST_HZ * 2 ** (band / 12) * time))
        for band in (60, 60 + semitones)
    )
    moved = transpose(low, semitones)
    assert moved.shape == low.shape
    np.testing.assert_array_equal(moved.argmax(0), high.argmax(0))
    near = slice(60 + semitones - 1, 60 + semitones + 2)
    # A tone between two bins of the window is up to 1.4 dB lower.
    np.testing.assert_allclose(moved[near], high[near], atol=0.5)
    np.testing.assert_allclose(moved[60 + semitones], high[60 + semitones], atol=0.15)


def test_what_moves_in_is_like_the_edge():
    sketch = np.arange(BANDS, dtype=np.float32)[:, None]
    assert list(transpose(sketch, 2)[:4, 0]) == [0, 0, 0, 1]
    assert list(transpose(sketch, -2)[-4:, 0]) == [94, 95, 95, 95]


def test_a_stem_plays_through_its_short_rests():
    tokens = 80
    sketch = np.full((2, BANDS, tokens * FRAMES_PER_TOKEN), FLOOR, np.float32)
    # Stem 0: one loud frame in token 15, and one 20 tokens later.
    for token in (15, 35):
        sketch[0, 50, token * FRAMES_PER_TOKEN + 1] = SOUNDING + 0.1
    sketch[1] = SOUNDING - 0.1
    playing = find_playing(sketch)
    assert playing.shape == (2, tokens)
    expected = np.zeros(tokens, bool)
    expected[15 - PHRASE_TOKENS : 35 + PHRASE_TOKENS + 1] = True
    np.testing.assert_array_equal(playing[0], expected)
    assert not playing[1].any()


def test_facts_of_the_composer_become_controls():
    controls = read_controls(FACTS)
    assert (controls.tempo, controls.meter, controls.key, controls.style) == (
        96.0,
        "4/4",
        "Gb minor",
        "funk",
    )
    assert controls.first_beat == 0.03
    assert read_controls({}) == Controls()
    # A file that people wrote tells its tempo and its meter alone.
    written = {"tempo": 90.0, "meter": "3/4", "style": "file"}
    assert read_controls(written) == Controls(90.0, "3/4", LEAD_IN_SECONDS)
    assert set(COMPOSED) <= set(STYLES)
