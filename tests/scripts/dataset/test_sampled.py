"""Parts that are played on sampled instruments."""

from dataclasses import replace

import numpy as np
import pytest

from scripts.dataset.sampled import render_sampled
from scripts.dataset.score import Note, Part
from scripts.dataset.sfz import write_sfz
from scripts.dataset.tuning import measure_pitch

PIANO = 0


@pytest.fixture
def instrument(make_zone, tmp_path):
    """An instrument that plays one key, 67."""
    write_sfz({67: make_zone(67.0)}, PIANO, tmp_path)
    return tmp_path / "instrument.sfz"


def play(part, path, seconds=1.2):
    return render_sampled(part, seconds, path, (67, 67), 0.0)


@pytest.mark.parametrize("semitones", [-2.0, 1.5])
def test_a_bend_is_as_wide_whatever_the_instrument_states(instrument, make_zone, semitones):
    wide = "<global> bend_up=1200 bend_down=-1200"
    instrument.write_text(instrument.read_text().replace("<global>", wide))
    part = Part([Note(0.0, 1.0, 67, 100)], bends=[(0.0, semitones)])
    sounding = replace(make_zone(), audio=play(part, instrument), root=67.0 + semitones)
    pitch = measure_pitch(sounding)
    assert pitch.cents == pytest.approx(0, abs=3)
    assert pitch.clarity > 0.9


def test_the_last_note_rings_until_it_is_released(instrument):
    audio = play(Part([Note(0.0, 0.5, 67, 100)]), instrument, 2.0)
    levels = [np.sqrt(np.mean(np.square(part))) for part in np.split(audio[:44000], 40)]
    # A release of half a second.
    assert 0.05 < levels[11] / levels[9] < 0.7
    assert levels[11] > levels[13] > levels[15] > 0
    assert levels[-1] < 1e-2 * levels[9]


def measure(instrument, seconds, ending):
    """Level at a time in a note of half a second, relative to its beginning, in dB."""
    part = Part([Note(0.0, 0.5, 67, 100)])
    audio = render_sampled(part, 1.2, instrument, (67, 67), 0.0, ending)
    start = round(seconds * 22050)
    powers = [np.mean(np.square(audio[at : at + 1100])) for at in (start, 100)]
    return 10 * np.log10((powers[0] + 1e-12) / powers[1])


def test_notes_last_as_long_as_is_asked(make_zone, tmp_path):
    write_sfz({67: replace(make_zone(67.0), loop=(5000, 5999))}, PIANO, tmp_path)
    path = tmp_path / "instrument.sfz"
    held = [measure(path, 0.45, (decay, 1.0)) for decay in (0.1, 0.3, 1.0)]
    released = [measure(path, 0.56, (1.0, release)) for release in (0.2, 1.0, 4.0)]
    for levels in (held, released):
        assert levels == sorted(levels)
        assert levels[-1] > levels[0] + 3
