"""Electric pianos on the engine of the DX7."""

from random import Random

import numpy as np
import pytest

from scripts.dataset import dx7
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part

if not dx7.is_available():
    pytest.skip("dexed-py is not installed", allow_module_level=True)

CENTS = 12.0
"""Pairs are detuned by so much at most."""


@pytest.mark.parametrize("seed", range(4))
def test_notes_begin_at_once_and_die_away(seed):
    voice = dx7.Voice(Random(seed), 0.0)
    for hz in (110.0, 440.0, 1760.0):
        sound = voice.sound(hz, 0.7)
        assert sound.shape == (6 * SAMPLE_RATE_HZ,)
        assert np.abs(sound[: SAMPLE_RATE_HZ // 100]).max() > 0.1
        assert sound[-1] == 0
        halves = np.square(sound).reshape(2, -1).sum(1)
        assert halves[0] > 2 * halves[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_harder_stroke_sounds_brighter(seed):
    voice = dx7.Voice(Random(seed), 0.0)
    centres = []
    for force in (0.2, 1.0):
        attack = voice.sound(220.0, force)[: SAMPLE_RATE_HZ // 2]
        spectrum = np.abs(np.fft.rfft(attack * np.hanning(len(attack))))
        centres.append(np.arange(len(spectrum)) @ spectrum / spectrum.sum())
    assert centres[1] > 1.05 * centres[0]


@pytest.mark.parametrize("tune_cents", [0.0, 30.0])
def test_it_is_in_tune(tune_cents):
    part = Part([Note(0.1, 1.5, 69, 90)])
    for seed in range(4):
        audio = dx7.render_dx7(part, 2.0, tune_cents, Random(seed))
        assert audio.dtype == np.float32
        assert audio.shape == (2 * SAMPLE_RATE_HZ,)
        assert not audio[: round(0.09 * SAMPLE_RATE_HZ)].any()
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 16 * len(audio)))
        hz = np.argmax(spectrum[: 32 * 600]) / 32
        off_cents = 1200 * np.log2(hz / 440) - tune_cents
        assert abs(off_cents) < CENTS


def test_a_part_is_a_function_of_its_seed():
    part = Part([Note(0.1, 0.5, 69, 90), Note(0.3, 0.5, 45, 90)])
    audio = dx7.render_dx7(part, 1.0, 5.0, Random(2))
    np.testing.assert_array_equal(audio, dx7.render_dx7(part, 1.0, 5.0, Random(2)))
    assert not np.array_equal(audio, dx7.render_dx7(part, 1.0, 5.0, Random(3)))
