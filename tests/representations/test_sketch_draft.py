"""Drafts of sketches: which notes, where their harmonics lie, and that they go on."""

import numpy as np
import pytest

from msdm_cli.representations.sketch import (
    FLOOR,
    HOP,
    LOWEST_HZ,
    MARGIN,
    SAMPLE_RATE_HZ,
    find_sketch,
)
from msdm_cli.representations.sketch_draft import draft_sound, find_notes, play_note

FRAMES = 48
LENGTH = FRAMES * HOP


def find_hz(note):
    return LOWEST_HZ * 2 ** (note / 12)


def play(*notes, harmonics=12):
    """Notes with harmonics that fall by 6 dB an octave."""
    time = np.arange(-MARGIN, LENGTH + MARGIN) / SAMPLE_RATE_HZ
    return sum(
        np.sin(2 * np.pi * number * find_hz(note) * time + number) / number
        for note in notes
        for number in range(1, harmonics + 1)
    ).astype(np.float32) * np.float32(0.1)


@pytest.mark.parametrize("notes", [(10,), (16, 20, 23), (12, 28, 33)])
def test_notes_are_found_and_their_harmonics_are_not(notes):
    found = find_notes(find_sketch(play(*notes)))
    np.testing.assert_array_equal(np.flatnonzero(found.all(1)), notes)
    assert not np.delete(found, notes, 0).any()


def test_silence_has_no_notes():
    assert not find_notes(np.full((96, FRAMES), FLOOR)).any()


def test_a_note_goes_on_through_a_frame_without_it_and_a_short_one_is_dropped():
    sketch = np.full((96, 12), FLOOR)
    sketch[20, [1, 2, 3, 5, 6]] = -2.0
    sketch[30, 9:11] = -2.0
    found = find_notes(sketch)
    assert list(np.flatnonzero(found[20])) == [1, 2, 3, 4, 5, 6]
    assert not found[30].any()


def test_harmonics_lie_at_multiples_where_the_sketch_cannot_resolve_them():
    note = 15
    draft = draft_sound(find_sketch(play(note, harmonics=40)), 0)
    spectrum = np.abs(np.fft.rfft(draft * np.hanning(LENGTH))) ** 2
    hz = np.fft.rfftfreq(LENGTH, 1 / SAMPLE_RATE_HZ)
    inside = (hz > 1000) & (hz < 3500)
    distance = abs(hz / find_hz(note) - np.round(hz / find_hz(note)))
    at, between = (spectrum[inside & near].mean() for near in (distance < 0.05, distance > 0.3))
    assert 10 * np.log10(at / between) > 15


def test_a_draft_has_the_powers_of_its_sketch():
    sketch = find_sketch(play(15, 22))
    drafted = find_sketch(np.pad(draft_sound(sketch, 0), MARGIN))
    loud = (sketch > -5)[:, 8:-8]
    error_db = 10 * np.sqrt(np.square(drafted - sketch)[:, 8:-8][loud].mean())
    assert error_db < 3


def test_notes_go_on_through_the_piece():
    whole = play_note(20, np.arange(4000))
    np.testing.assert_array_equal(play_note(20, np.arange(1500, 4000)), whole[1500:])


def test_without_harmonics_there_is_noise_above_a_note():
    """What is heard above 1 kHz lies at harmonics, or anywhere."""
    note = 15
    sketch = find_sketch(play(note, harmonics=40))
    spectra = [
        np.abs(np.fft.rfft(draft_sound(sketch, 0, has_notes=has_notes) * np.hanning(LENGTH))) ** 2
        for has_notes in (True, False)
    ]
    hz = np.fft.rfftfreq(LENGTH, 1 / SAMPLE_RATE_HZ)
    inside = (hz > 1000) & (hz < 3500)
    distance = abs(hz / find_hz(note) - np.round(hz / find_hz(note)))
    near = inside & (distance < 0.1)
    shares = [spectrum[near].sum() / spectrum[inside].sum() for spectrum in spectra]
    assert shares[0] > 0.8
    assert shares[1] < 0.4
    low = hz < 2 * find_hz(note) - 20
    peaks = [hz[low][spectrum[low].argmax()] for spectrum in spectra]
    np.testing.assert_allclose(peaks, find_hz(note), rtol=0.01)


@pytest.mark.parametrize("note", [50, 60, 70])
def test_a_high_note_is_a_tone_too(note):
    """The bands there are wider than a tone, so noise would have their powers as well."""
    draft = draft_sound(find_sketch(play(note, harmonics=3)), 0)
    spectrum = np.abs(np.fft.rfft(draft * np.hanning(LENGTH))) ** 2
    hz = np.fft.rfftfreq(LENGTH, 1 / SAMPLE_RATE_HZ)
    around = abs(hz / find_hz(note) - 1) < 0.1
    at = abs(hz - find_hz(note)) < 5
    assert spectrum[at].sum() / spectrum[around].sum() > 0.95


def test_cymbals_ring_at_the_same_frequencies_wherever_they_are_struck():
    sketch = np.full((96, 512), -2.0, np.float32)
    spectra = []
    for first in (0, 123 * HOP):
        draft = draft_sound(sketch, first, has_notes=False).reshape(-1, 1024)
        power = np.square(np.abs(np.fft.rfft(draft * np.hanning(1024)))).mean(0)
        spectra.append(10 * np.log10(power[100:400]))
    assert np.corrcoef(spectra)[0, 1] > 0.9
    assert 4 < np.std(spectra[0]) < 10
