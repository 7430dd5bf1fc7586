"""Notes that fit the others: by pitch class, and by time."""

import numpy as np
import pytest

pytest.importorskip("librosa")

from msdm_cli.midi.notes import Note
from scripts.bench import chord_tones
from scripts.bench.chord_tones import draw_roll, find_roll, measure_chord_tones

SECONDS = 4.0
CHORD = [Note(1.0, 2.0, key, 0.5) for key in (60, 64, 67)]


@pytest.mark.parametrize(
    ("note", "fits"),
    [
        (Note(1.0, 2.0, 48, 0.5), 1.0),
        (Note(1.0, 2.0, 49, 0.5), 0.0),
        (Note(2.3, 2.4, 76, 0.5), 1.0),
        (Note(3.0, 3.5, 76, 0.5), 0.0),
    ],
)
def test_a_note_fits_by_its_class_and_its_time(note, fits):
    roll = draw_roll([note], SECONDS)
    assert measure_chord_tones(roll, draw_roll(CHORD, SECONDS)) == fits


def test_a_share_counts_by_length():
    notes = [Note(1.0, 1.5, 48, 0.5), Note(1.0, 2.5, 49, 0.5)]
    found = measure_chord_tones(draw_roll(notes, SECONDS), draw_roll(CHORD, SECONDS))
    assert found == pytest.approx(0.25)


def test_a_stem_without_notes_has_no_share():
    assert np.isnan(measure_chord_tones(draw_roll([], SECONDS), draw_roll(CHORD, SECONDS)))


def test_notes_of_a_sound_are_found_at_its_rate(monkeypatch):
    def transcribe(source):
        found = source.properties
        assert (found.sample_rate, found.channels, found.frames) == (22050, 1, 44100)
        return CHORD

    monkeypatch.setattr(chord_tones, "transcribe", transcribe)
    roll = find_roll(np.zeros(44100, np.float32))
    assert roll.shape == (12, 40)
    assert list(np.flatnonzero(roll.any(1))) == [0, 4, 7]
