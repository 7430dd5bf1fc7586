"""Songs as crops."""

import dataclasses
import shutil

import numpy as np
import pytest
import soundfile
from conftest import STEMS

from scripts.train.corpus import Augmentation, Corpus, colour

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
    np.testing.assert_allclose(rms(crop(coloured=1)), rms(plain), rtol=1e-3)
    assert not np.allclose(crop(coloured=1), plain, atol=1e-3)
    assert (rms(crop(silenced=1)) == 0).sum() == 1
    paused = crop(paused=1)
    kept = np.flatnonzero(paused.any(0))
    assert (kept[0] > 100) != (kept[-1] < LENGTH - 1 - 100)
    np.testing.assert_array_equal(paused[:, kept], plain[:, kept])
    np.testing.assert_allclose(rms(crop(gain_db=(6.02, 6.02))), 2 * rms(plain), rtol=1e-3)
    levels = 20 * np.log10(rms(crop(stem_gain_db=6)) / rms(plain))
    assert 1 < np.abs(levels).max() < 6
    assert np.ptp(levels) > 1


def test_a_coloured_stem_is_as_loud_with_another_spectrum():
    noise = np.random.default_rng(0).standard_normal(LENGTH).astype(np.float32)
    changed = colour(noise, np.random.default_rng(1), 5.0, 22050)
    assert changed.dtype == np.float32
    assert np.square(changed).mean() == pytest.approx(np.square(noise).mean(), rel=1e-4)
    before, after = (np.abs(np.fft.rfft(x)) for x in (noise, changed))
    gains_db = 20 * np.log10(after[10:] / before[10:])
    assert 2 < gains_db.std() < 10
    # Octaves are interpolated, so neighbours differ little.
    assert np.abs(np.diff(gains_db[100:])).max() < 0.2
    assert not colour(0 * noise, np.random.default_rng(1), 5.0, 22050).any()
