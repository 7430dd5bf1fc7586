"""Sketches that lean towards a key."""

import numpy as np
import pytest
from conftest import make_codes

from msdm_cli.representations.sketch import BANDS
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN
from msdm_cli.tasks.controls import NOTES
from msdm_cli.tasks.tonality import (
    HALF_SIGMA,
    NOTE_BANDS,
    PITCH_CLASS,
    LeaningDenoiser,
    find_lean,
)

NUMBERS = BANDS * FRAMES_PER_TOKEN
STEMS = ("bass", "drums", "guitar", "piano")
STRENGTH = 0.4


def find_bands(key):
    """What a whole basis says of a key, ``[S, BANDS, FRAMES_PER_TOKEN]``."""
    codes = make_codes(stems=4, bands=BANDS, numbers=NUMBERS)
    lean = find_lean(codes, key, STEMS, STRENGTH)
    tokens = lean[:, None] @ codes.basis.swapaxes(1, 2)
    return tokens.reshape(4, BANDS, FRAMES_PER_TOKEN)


def test_bands_have_the_pitch_classes_of_their_semitones():
    assert [NOTES[pitch] for pitch in PITCH_CLASS[:3]] == ["E", "F", "Gb"]
    assert len(PITCH_CLASS) == BANDS


@pytest.mark.parametrize(
    ("key", "triad", "strangers"),
    [
        ("C major", ("C", "E", "G"), ("Db", "Eb", "Gb", "Ab", "Bb")),
        ("E minor", ("E", "G", "B"), ("F", "Ab", "Bb", "Db")),
    ],
)
def test_notes_of_the_key_are_louder(key, triad, strangers):
    bands = find_bands(key)
    pitched = bands[[0, 2, 3], :NOTE_BANDS]
    by_pitch = [pitched[:, PITCH_CLASS[:NOTE_BANDS] == pitch] for pitch in range(12)]
    for note in triad:
        assert (by_pitch[NOTES.index(note)] > STRENGTH / 2).all()
    for note in strangers:
        assert (by_pitch[NOTES.index(note)] < -STRENGTH / 4).all()


def test_drums_and_bands_without_notes_stay():
    bands = find_bands("C major")
    np.testing.assert_allclose(bands[1], 0, atol=1e-6)
    np.testing.assert_allclose(bands[:, NOTE_BANDS:], 0, atol=1e-4)


class Silence:
    takes_mixture = False
    shares_sigma = True

    def __call__(self, x, sigma, mixture=None):
        return np.zeros_like(x)

    def free(self, x, sigma):
        return np.full_like(x, 3)


def test_estimates_are_moved_where_noise_is_strong():
    lean = np.array([[1.0, 2.0], [0.0, -4.0]], np.float32)
    denoiser = LeaningDenoiser(Silence(), lean)
    x = np.ones((1, 2, 6), np.float32)
    whole = np.tile(lean, 3)[None]
    for sigma, share in ((0.0, 0.0), (HALF_SIGMA, 0.5), (1e3 * HALF_SIGMA, 1.0)):
        moved = denoiser(x, np.full((1, 2), sigma, np.float32))
        np.testing.assert_allclose(moved, share * whole, atol=1e-4)
    # A given stem is at sigma 0.
    moved = denoiser(x, np.array([[0, HALF_SIGMA]], np.float32))
    np.testing.assert_allclose(moved[0], [np.zeros(6), whole[0, 1] / 2], atol=1e-6)
    # Where nothing is asked for, nothing is moved.
    np.testing.assert_array_equal(denoiser.free(x, np.full((1, 2), 1e3)), np.full_like(x, 3))
