"""Chords and scales."""

from random import Random

import pytest

from scripts.dataset.theory import (
    PROGRESSIONS,
    QUALITIES,
    Chord,
    nearest_pitch,
    progression,
    scale_pitches,
    voicing,
)


def test_tones_and_names_of_chords():
    assert Chord(9, "m7").tones == (9, 0, 4, 7)
    assert Chord(9, "m7").name == "Am7"


@pytest.mark.parametrize("target", [36, 40.4, 59])
def test_the_nearest_pitch_is_less_than_half_an_octave_away(target):
    for pitch_class in range(12):
        pitch = nearest_pitch(pitch_class, target)
        assert pitch % 12 == pitch_class
        assert abs(pitch - target) <= 6.5


def test_a_voicing_is_close_and_of_the_chord():
    chord = Chord(0, "")
    assert voicing(chord, 55, 4) == [55, 60, 64, 67]


def test_a_scale_has_its_bounds():
    assert scale_pitches(0, "major", 60, 72) == [60, 62, 64, 65, 67, 69, 71, 72]


@pytest.mark.parametrize("family", PROGRESSIONS)
def test_every_progression_has_chords_that_exist(family):
    for seed in range(20):
        chords = progression(Random(seed), family, tonic=2, colour=0.5)
        assert len(chords) >= 2
        for chord in chords:
            assert 0 <= chord.root < 12
            assert chord.quality in QUALITIES
