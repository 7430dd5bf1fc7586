"""Songs as crops."""

import dataclasses
import shutil

import numpy as np
import pytest
import soundfile
from conftest import STEMS

from scripts.train.corpus import Augmentation, Corpus

LENGTH = 16384


@pytest.fixture
def copy(songs, tmp_path):
    return shutil.copytree(
        songs / "train", tmp_path / "train", ignore=shutil.ignore_patterns(".cache")
    )


def test_crops_are_a_function_of_their_generator(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    assert len(corpus.songs) == 3
    one, two = (
        corpus.augmented(np.random.default_rng(3), LENGTH, Augmentation()) for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    assert one.shape == (4, LENGTH)


def test_a_stem_is_read_from_what_was_decoded_with_others(copy):
    corpus = Corpus(copy, STEMS, 22050)
    decoded = Corpus(copy, ("guitar",), 22050).load("Track00001").copy()
    np.testing.assert_array_equal(decoded, corpus.load("Track00001")[2:3])
    shutil.rmtree(copy / ".cache" / "guitar")
    found = Corpus(copy, ("guitar",), 22050).load("Track00001")
    np.testing.assert_array_equal(found, decoded)
    assert not (copy / ".cache" / "guitar").exists()


def test_a_song_that_was_rendered_anew_is_decoded_anew(copy):
    before = Corpus(copy, STEMS, 22050).load("Track00001").copy()
    path = copy / "Track00001" / "guitar.flac"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate)
    after = Corpus(copy, STEMS, 22050).load("Track00001")
    np.testing.assert_array_equal(after[:2], before[:2])
    assert not np.array_equal(after[2], before[2])


def test_a_short_song_is_padded(copy):
    corpus = Corpus(copy, STEMS, 22050)
    length = 2 * corpus.load("Track00000").shape[1]
    crop = corpus.crop(np.random.default_rng(0), length, "Track00000")
    assert crop.shape == (4, length)
    assert crop[:, : length // 2].any()
    assert not crop[:, length // 2 :].any()


def test_what_happens_to_a_crop(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    nothing = Augmentation(silenced=0, gain_db=(0, 0), stem_gain_db=0, paused=0)

    def crop(**changes):
        augmentation = dataclasses.replace(nothing, **changes)
        return corpus.augmented(np.random.default_rng(5), LENGTH, augmentation)

    def rms(x):
        return np.sqrt(np.square(x).mean(1))

    plain = crop()
    assert (rms(crop(silenced=1)) == 0).sum() == 1
    paused = crop(paused=1)
    kept = np.flatnonzero(paused.any(0))
    assert (kept[0] > 100) != (kept[-1] < LENGTH - 1 - 100)
    np.testing.assert_array_equal(paused[:, kept], plain[:, kept])
    np.testing.assert_allclose(rms(crop(gain_db=(6.02, 6.02))), 2 * rms(plain), rtol=1e-3)
    levels = 20 * np.log10(rms(crop(stem_gain_db=6)) / rms(plain))
    assert 1 < np.abs(levels).max() < 6
    assert np.ptp(levels) > 1
