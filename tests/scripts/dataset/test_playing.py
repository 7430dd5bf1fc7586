"""Instruments that are made of numbers, or sample others: pitch and loudness."""

from random import Random

import numpy as np
import pytest

from scripts.dataset.looped import render_looped
from scripts.dataset.playing import play_sounds, sustained
from scripts.dataset.plucked import render_plucked
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part
from scripts.dataset.struck import render_struck

LOUDEST_TO_SOFTEST = 8
"""18 dB."""


def sample_strings(part, seconds):
    """An instrument to take samples of."""
    return render_struck(part, seconds, 0.0, Random(11))


def render_samples(part, duration_seconds, cents, rng):
    return render_looped(part, duration_seconds, cents, rng, sample_strings)


INSTRUMENTS = (render_struck, render_plucked, render_samples)


@pytest.mark.parametrize("render", INSTRUMENTS)
@pytest.mark.parametrize(("pitch", "cents"), [(45, 0.0), (69, 0.0), (64, 500.0)])
def test_notes_sound_where_they_are_tuned(render, pitch, cents):
    part = Part([Note(0.1, 1.5, pitch, 100)])
    audio = render(part, 2.0, cents, Random(pitch))[2000:33000]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 8 * len(audio)))
    bin_hz = SAMPLE_RATE_HZ / (8 * len(audio))
    hz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)

    def level(ratio):
        low, high = (round(edge * ratio * hz / bin_hz) for edge in (0.99, 1.01))
        return spectrum[low : high + 1].max()

    for partial in (1, 2, 3):
        assert level(partial) > 10 * max(level(partial - 0.5), level(partial + 0.5))


@pytest.mark.parametrize("render", INSTRUMENTS)
def test_notes_of_one_force_are_of_one_loudness(render):
    for seed in range(2):
        notes = [Note(0.1 + index, 0.8, 45 + index, 90) for index in range(30)]
        audio = render(Part(notes), 31.0, 0.0, Random(seed))
        starts = [round((0.1 + index) * SAMPLE_RATE_HZ) for index in range(30)]
        levels = [np.abs(audio[start:][:20000]).max() for start in starts]
        assert max(levels) < LOUDEST_TO_SOFTEST * min(levels)


def test_a_note_is_let_go_when_it_ends():
    constant = np.ones(SAMPLE_RATE_HZ, np.float32)
    part = Part([Note(0.5, 0.25, 69, 127)])
    audio = play_sounds(part, 1.0, 0.0, lambda hz, force: constant, 0.01)
    start = round(0.5 * SAMPLE_RATE_HZ)
    end = round(0.75 * SAMPLE_RATE_HZ)
    assert not audio[:start].any()
    np.testing.assert_array_equal(audio[start : end - 1], 1)
    later = end + round(0.02 * SAMPLE_RATE_HZ)
    assert audio[later] == pytest.approx(np.exp(-2), rel=0.02)


def test_a_sound_is_made_once_for_each_pitch_and_force():
    made = []

    def sound(hz, force):
        made.append((round(hz), force))
        return np.ones(100, np.float32)

    notes = [Note(index, 0.5, pitch, 90) for index, pitch in enumerate((69, 69, 57, 69))]
    play_sounds(Part(notes), 5.0, 0.0, sound, 0.01)
    assert made == [(440, 3 / 5), (220, 3 / 5)]


def test_only_notes_under_a_pedal_are_sustained():
    notes = [Note(0.0, 0.5, 60, 90), Note(1.0, 0.5, 62, 90)]
    held = sustained(Part(notes, pedals=[(0.9, True), (2.5, False)]), 4.0)
    assert [note.duration_seconds for note in held.notes] == [0.5, 1.5]


def test_plucked_strings_ring_under_a_pedal():
    notes = [Note(0.1, 0.2, 50, 90)]
    dry, held = (
        render_plucked(Part(notes, pedals=pedals), 1.5, 0.0, Random(3))
        for pedals in ([], [(0.0, True), (1.2, False)])
    )
    later = slice(round(0.8 * SAMPLE_RATE_HZ), round(1.1 * SAMPLE_RATE_HZ))
    assert np.square(held[later]).sum() > 100 * np.square(dry[later]).sum()
