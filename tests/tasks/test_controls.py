"""Controls against times, keys and tables that are written out here."""

import numpy as np
import pytest

from msdm_cli.tasks.controls import (
    KEY_FEATURES,
    LEAD_IN_SECONDS,
    NOTES,
    TEMPO_FEATURES,
    TOKEN_SECONDS,
    Controls,
    count_features,
    parse_key,
    read_key,
)
from msdm_cli.tasks.styles import STYLES

STEMS = 4
ROUNDING = 1e-5
"""Of angles of a few turns in single precision."""

BAR, BEAT, HALF, QUARTER = (slice(start, start + 2) for start in (2, 4, 6, 8))
"""Sine and cosine of the phases of a bar, a beat, and parts of it."""


def describe(first=0, tokens=200, **fields):
    return Controls(**fields).describe(first, tokens, STEMS)


def find_phase(told, columns):
    """The phase of each token, in turns from 0 to 1."""
    sine, cosine = told[:, columns].T
    return np.arctan2(sine, cosine) / (2 * np.pi) % 1


def test_nothing_is_told_of_nothing():
    told = describe()
    assert told.shape == (200, count_features(STEMS)) == (200, 45)
    assert told.dtype == np.float32
    assert not told.any()


@pytest.mark.parametrize(
    ("meter", "tempo", "bar_seconds", "beat_seconds"),
    [("4/4", 120, 2.0, 0.5), ("3/4", 90, 2.0, 2 / 3), ("6/8", 60, 3.0, 1.5)],
)
def test_bars_and_beats_come_when_a_clock_has_them(meter, tempo, bar_seconds, beat_seconds):
    first_beat = 0.3
    told = describe(first=7, tempo=tempo, meter=meter, first_beat=first_beat)
    seconds = (7 + np.arange(200) + 0.5) * 2048 / 22050 - first_beat
    for columns, period in (
        (BAR, bar_seconds),
        (BEAT, beat_seconds),
        (HALF, beat_seconds / 2),
        (QUARTER, beat_seconds / 4),
    ):
        distance = find_phase(told, columns) - seconds / period
        np.testing.assert_allclose(distance, np.round(distance), atol=ROUNDING)
        np.testing.assert_allclose(np.square(told[:, columns]).sum(1), 1, atol=ROUNDING)
    np.testing.assert_array_equal(told[:, 0], 1)
    np.testing.assert_allclose(told[:, 1], np.log2(tempo / 120), atol=ROUNDING)
    assert not told[:, TEMPO_FEATURES:].any()
    controls = Controls(tempo=tempo, meter=meter)
    assert controls.bar_seconds == pytest.approx(bar_seconds)
    assert controls.beat_seconds == pytest.approx(beat_seconds)
    assert controls.bar_quarters == pytest.approx(bar_seconds * tempo / 60)


def test_a_piece_is_told_the_same_in_parts():
    controls = Controls(tempo=97.0, key="A minor", style="funk", playing=(True,))
    whole = controls.describe(0, 60, STEMS)
    parts = [controls.describe(first, 20, STEMS) for first in (0, 20, 40)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=ROUNDING)
    assert pytest.approx(2048 / 22050) == TOKEN_SECONDS


@pytest.mark.parametrize(
    ("key", "tonic", "minor"),
    [
        ("C major", 0, False),
        ("C# minor", 1, True),
        ("Db minor", 1, True),
        ("Eb mixolydian", 3, False),
        ("F# dorian", 6, True),
        ("B phrygian", 11, True),
        ("Bb lydian", 10, False),
    ],
)
def test_a_key_is_a_tonic_and_a_third(key, tonic, minor):
    assert read_key(key) == (tonic, minor)
    told = describe(key=key)[0]
    notes = told[TEMPO_FEATURES : TEMPO_FEATURES + 12]
    assert (notes.argmax(), notes.sum()) == (tonic, 1)
    assert told[TEMPO_FEATURES + 12] == (1 if minor else -1)
    assert np.count_nonzero(told) == 2


@pytest.mark.parametrize(
    ("key", "semitones", "expected"),
    [
        ("C major", 0, "C major"),
        ("C major", 1, "Db major"),
        ("B minor", 1, "C minor"),
        ("C dorian", -1, "B dorian"),
        ("F# minor", 2, "Ab minor"),
        ("E lydian", 24, "E lydian"),
    ],
)
def test_a_transposed_key_keeps_its_mode(key, semitones, expected):
    controls = Controls(tempo=100.0, key=key, style="rock")
    assert controls.transposed(semitones) == Controls(tempo=100.0, key=expected, style="rock")


def test_no_key_stays_no_key():
    assert Controls(tempo=100.0).transposed(3) == Controls(tempo=100.0)


def test_styles_and_playing_have_places_of_their_own():
    start = TEMPO_FEATURES + KEY_FEATURES
    for index, style in enumerate(STYLES):
        told = describe(style=style)[0]
        assert told[start + index] == 1
        assert np.count_nonzero(told) == 1
    told = describe(playing=(True, None, False))[0]
    assert list(told[start + len(STYLES) :]) == [1, 0, -1, 0]
    assert np.count_nonzero(told) == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tempo": 19.0}, "tempo from 20 to 400, got 19"),
        ({"tempo": 401.0}, "tempo from 20 to 400, got 401"),
        ({"tempo": float("nan")}, "tempo from 20 to 400, got nan"),
        ({"meter": "5/4"}, "meter of 4/4, 3/4, 6/8, got 5/4"),
        ({"first_beat": float("nan")}, "the time of a first beat, got nan"),
        ({"style": "polka"}, "style of ballad, .*, got polka"),
        ({"key": "H major"}, "key like C major or Eb minor, got H major"),
        ({"key": "C"}, "got C"),
        ({"key": "C blues"}, "got C blues"),
        ({"key": "c major"}, "got c major"),
        ({"key": ""}, "got "),
        ({"key": 3}, "got 3"),
    ],
)
def test_what_is_none_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        Controls(**fields)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_asked_for_is_drawn_from_the_seed(seed):
    filled = Controls().filled(seed, STEMS)
    assert filled == Controls().filled(seed, STEMS)
    style = STYLES[filled.style]
    assert style.tempos[0] <= filled.tempo <= style.tempos[1]
    assert filled.meter == style.meter
    assert filled.key.split()[1] in style.modes
    assert filled.first_beat == LEAD_IN_SECONDS
    assert set(filled.playing) <= {True, None}
    assert len(filled.playing) == STEMS


def test_seeds_make_different_music():
    filled = [Controls().filled(seed, STEMS) for seed in range(60)]
    assert len({controls.style for controls in filled}) > 12
    assert len({controls.key for controls in filled}) > 15
    assert len({controls.tempo for controls in filled}) > 30
    assert len({controls.playing for controls in filled}) > 10


@pytest.mark.parametrize("style", STYLES)
def test_what_is_asked_for_stays(style):
    asked = Controls(111.0, first_beat=0.0, key="Db lydian", style=style, playing=(True, False))
    filled = asked.filled(3, STEMS)
    assert (filled.tempo, filled.key, filled.style) == (111.0, "Db lydian", style)
    assert (filled.playing, filled.first_beat) == ((True, False), 0.0)
    assert filled.meter == STYLES[style].meter


def test_a_key_that_is_asked_for_changes_neither_style_nor_tempo():
    free, asked = Controls().filled(5, STEMS), Controls(key="A minor").filled(5, STEMS)
    assert (free.style, free.tempo) == (asked.style, asked.tempo)


def test_asking_for_what_a_seed_draws_changes_nothing():
    for seed in range(100):
        free = Controls().filled(seed, STEMS)
        for name in ("style", "tempo", "key", "playing"):
            asked = Controls(**{name: getattr(free, name)})
            assert asked.filled(seed, STEMS) == free


def test_another_style_leaves_who_plays_and_the_note_of_the_key():
    for seed in range(20):
        free, asked = Controls().filled(seed, STEMS), Controls(style="ballad").filled(seed, STEMS)
        assert asked.playing == free.playing
        assert asked.key.split()[0] == free.key.split()[0]
        assert 60 <= asked.tempo <= 88


@pytest.mark.parametrize(("tempo", "meter"), [(120, "3/4"), (90, "6/8"), (300, "3/4")])
def test_a_meter_that_is_asked_for_has_a_style_of_that_meter(tempo, meter):
    asked = Controls(tempo=tempo, meter=meter)
    assert {asked.filled(seed, STEMS).meter for seed in range(20)} == {meter}


@pytest.mark.parametrize("tempo", [62.0, 100.0, 178.0, 40.0, 240.0])
def test_a_tempo_chooses_among_the_styles_in_which_it_is_usual(tempo):
    for seed in range(20):
        filled = Controls(tempo=tempo).filled(seed, STEMS)
        assert filled.tempo == tempo
        slowest, fastest = STYLES[filled.style].tempos
        # No style is so slow or fast as the last two: then it may be any.
        assert slowest <= tempo <= fastest or tempo in (40, 240)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("C", "C major"),
        ("am", "A minor"),
        ("F#m", "Gb minor"),
        ("f# minor", "Gb minor"),
        ("Gb minor", "Gb minor"),
        (" Eb  major ", "Eb major"),
        ("bb", "Bb major"),
        ("B", "B major"),
        ("D Dorian", "D dorian"),
        ("Gmaj", "G major"),
        ("A MIN", "A minor"),
        ("AM", "A major"),
    ],
)
def test_keys_as_people_write_them(text, key):
    assert parse_key(text) == key
    assert parse_key(key) == key


@pytest.mark.parametrize("text", ["", "H", "A#b", "C ionian", "Cb", "E#", "4", "A minor key"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="expected a key like C major"):
        parse_key(text)


def test_notes_are_those_of_a_piano():
    assert len(set(NOTES)) == 12


def test_who_plays_is_said_by_place_and_not_by_name():
    for playing in (["drums"], (True, 2), ("",)):
        with pytest.raises(ValueError, match="True, False or None for each stem"):
            Controls(playing=playing)
