"""Electric pianos by frequency modulation."""

from random import Random

import numpy as np
import pytest

from scripts.dataset.electric_piano import FmKeys, render_fm
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part


def test_notes_begin_at_zero_and_die_away():
    for seed in range(3):
        keys = FmKeys(Random(seed))
        for hz in (110.0, 440.0, 1760.0):
            sound = keys.sound(hz, 0.7)
            assert len(sound) == 6 * SAMPLE_RATE_HZ
            assert np.abs(sound).max() == pytest.approx(1)
            assert sound[0] == 0
            assert sound[-1] == pytest.approx(0, abs=1e-3)
            halves = np.square(sound).reshape(2, -1).sum(1)
            assert halves[0] > 3 * halves[1]


def test_a_harder_stroke_sounds_brighter():
    quiet, loud = (
        np.abs(np.fft.rfft(FmKeys(Random(1)).sound(220.0, force))) for force in (0.1, 1.0)
    )
    assert loud[12000:].sum() / loud.sum() > quiet[12000:].sum() / quiet.sum()


def test_a_part_is_a_function_of_its_seed_and_in_tune():
    part = Part([Note(0.1, 1.5, 69, 90)])
    audio = render_fm(part, 2.0, 0.0, Random(2))
    assert audio.dtype == np.float32
    assert audio.shape == (2 * SAMPLE_RATE_HZ,)
    assert not audio[: round(0.09 * SAMPLE_RATE_HZ)].any()
    np.testing.assert_array_equal(audio, render_fm(part, 2.0, 0.0, Random(2)))
    assert not np.array_equal(audio, render_fm(part, 2.0, 0.0, Random(3)))
    spectrum = np.abs(np.fft.rfft(audio))
    # In bins of half a hertz. The pairs are up to 8 cents apart, and their sidebands twice that.
    highest = 880 * 2 ** (16 / 1200)
    assert 879 <= np.argmax(spectrum[840:920]) + 840 <= highest + 1
