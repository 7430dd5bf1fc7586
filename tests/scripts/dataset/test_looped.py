"""Looped samples of an instrument."""

from random import Random

import numpy as np
import pytest

from scripts.dataset.looped import Sampler, render_looped
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part
from scripts.dataset.struck import render_struck


def sample_strings(part, seconds):
    return render_struck(part, seconds, 0.0, Random(11))


def test_samples_repeat_and_die_away_without_a_step():
    for seed in range(4):
        sampler = Sampler([60], 0.0, Random(seed), sample_strings)
        hz = min(sampler.samples, key=lambda root: abs(np.log(root / 262)))
        sound = sampler.sound(hz, 0.5)
        period = sampler.periods * SAMPLE_RATE_HZ / hz
        first = round(2 * max(sampler.attack_seconds * SAMPLE_RATE_HZ, period)) + 10000
        shift = period * round(4000 / period)
        decay = np.exp(-shift / SAMPLE_RATE_HZ / sampler.decay_seconds * (hz / 262) ** sampler.tilt)
        here = sound[first : first + 4000]
        later = np.interp(first + shift + np.arange(4000), np.arange(len(sound)), sound)
        assert np.abs(later - decay * here).max() < 0.1 * np.abs(here).max()
        assert np.abs(np.diff(sound)).max() < 3 * np.abs(np.diff(sampler.samples[hz][::4])).max()
        assert np.square(sound[-5000:]).sum() < np.square(sound[:5000]).sum()


def test_notes_begin_where_they_are_written():
    notes = [Note(0.3 + index, 0.2, 50 + 5 * index, 90) for index in range(4)]
    for seed in range(2):
        audio = render_looped(Part(notes), 4.5, 0.0, Random(seed), sample_strings)
        for note in notes:
            start = round(note.start_seconds * SAMPLE_RATE_HZ)
            before = np.abs(audio[start - 900 : start]).max()
            assert np.abs(audio[start : start + 900]).max() > 10 * before


def test_samples_are_taken_where_the_part_plays():
    """Elsewhere an instrument may move a note by octaves, and the sample would sound there."""
    for seed in range(6):
        for pitches in ([60], [45, 52, 76]):
            sampler = Sampler(pitches, 0.0, Random(seed), sample_strings)
            roots = [69 + 12 * np.log2(hz / 440) for hz in sampler.samples]
            assert min(pitches) - 0.01 < min(roots) <= max(roots) < max(pitches) + 0.01


def test_a_silent_instrument_has_no_samples():
    def render_nothing(part, seconds):
        return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)

    with pytest.raises(RuntimeError, match="silent at the pitches"):
        Sampler([60], 0.0, Random(0), render_nothing)


@pytest.mark.parametrize("semitones", [-5, 0, 5])
def test_a_tuned_note_is_played_on_the_sample_of_its_own_pitch(semitones):
    sampler = Sampler([60], 100.0 * semitones, Random(0), sample_strings)
    hz = {pitch: 440 * 2 ** ((pitch - 69) / 12) for pitch in (55, 60, 65)}
    sampler.samples = {hz[pitch]: np.full(90000, pitch) for pitch in hz}
    assert sampler.sound(hz[60 + semitones], 0.5)[0] == 60
