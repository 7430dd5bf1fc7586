"""Struck strings."""

from random import Random

import numpy as np
import pytest

from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part
from scripts.dataset.struck import StruckStrings, render_struck


def test_notes_begin_at_zero_and_die_away():
    for seed in range(3):
        strings = StruckStrings(Random(seed))
        for hz in (110.0, 440.0, 1760.0):
            sound = strings.sound(hz, 0.7)
            assert np.abs(sound).max() == pytest.approx(1)
            assert sound[0] == 0
            assert sound[-1] == pytest.approx(0, abs=1e-3)
            halves = np.square(sound).reshape(2, -1).sum(1)
            assert halves[0] > 5 * halves[1]


def test_a_harder_stroke_sounds_brighter():
    quiet, loud = (
        np.abs(np.fft.rfft(StruckStrings(Random(1)).sound(220.0, force))) for force in (0.1, 1.0)
    )
    assert loud[12000:].sum() / loud.sum() > quiet[12000:].sum() / quiet.sum()


def test_a_pedal_holds_notes_until_it_is_lifted():
    notes = [Note(0.1, 0.2, 60, 90)]
    dry, held = (
        render_struck(Part(notes, pedals=pedals), 2.0, 0.0, Random(3))
        for pedals in ([], [(0.0, True), (1.5, False)])
    )
    second = slice(round(1.0 * SAMPLE_RATE_HZ), round(1.4 * SAMPLE_RATE_HZ))
    end = slice(round(1.95 * SAMPLE_RATE_HZ), None)
    assert np.square(held[second]).sum() > 100 * np.square(dry[second]).sum()
    assert np.abs(held[end]).max() < 0.1 * np.abs(held[second]).max()


def test_a_held_pitch_that_is_struck_again_does_not_pile_up():
    notes = [Note(0.1 + 0.25 * index, 0.1, 60, 90) for index in range(8)]
    audio = render_struck(Part(notes, pedals=[(0.0, True)]), 4.0, 0.0, Random(5))
    peaks = [
        np.abs(audio[round((0.1 + 0.25 * i) * SAMPLE_RATE_HZ) :][:5000]).max() for i in range(8)
    ]
    assert max(peaks) < 1.5 * peaks[0]
