import numpy as np
import pytest

from msdm_cli.representations.sketch import BANDS, LOWEST_HZ, MARGIN, SAMPLE_RATE_HZ, find_sketch
from msdm_cli.tasks.controls import NOTES
from msdm_cli.tasks.listener import (
    DELAY_SECONDS,
    FRAMES_PER_SECOND,
    Listener,
    find_chroma,
    find_phase,
    find_tempo,
)

FRAMES = 2000
NEAR_BPM = 0.05


def pulse(tempo, first=0.2, frames=FRAMES):
    """Onsets of 70 ms on each beat, without their mean."""
    times = np.arange(frames) / FRAMES_PER_SECOND
    beat = 60 / tempo
    off = (times - first + beat / 2) % beat - beat / 2
    onsets = np.exp(-0.5 * (off / 0.03) ** 2)
    return onsets - onsets.mean()


@pytest.mark.parametrize("tempo", [72.5, 96.0, 127.31, 168.0])
def test_the_tempo_of_pulses_is_found_to_a_twentieth_of_a_beat(tempo):
    assert find_tempo(pulse(tempo)) == pytest.approx(tempo, abs=NEAR_BPM)


def test_noise_has_no_tempo():
    rng = np.random.default_rng(0)
    for frames in (300, FRAMES, 10_000):
        assert find_tempo(np.abs(rng.standard_normal(frames)) - 0.8) is None


@pytest.mark.parametrize("first", [0.0, 0.2, 0.45])
def test_the_first_beat_is_where_pulses_are(first):
    found = find_phase(pulse(120.0, first), 120.0) - DELAY_SECONDS
    assert abs((found - first + 0.25) % 0.5 - 0.25) < 0.01


@pytest.mark.parametrize("semitones", [15, 24, 33, 40])
def test_a_tone_has_the_pitch_class_of_its_semitone(semitones):
    hz = LOWEST_HZ * 2 ** (semitones / 12)
    tone = np.sin(2 * np.pi * hz * np.arange(8192 + 2 * MARGIN) / SAMPLE_RATE_HZ)
    chroma = find_chroma(find_sketch(0.1 * tone.astype(np.float32))).sum(1)
    # The lowest band is an E.
    assert NOTES[chroma.argmax()] == NOTES[(4 + semitones) % 12]
    assert chroma.max() > 0.8 * chroma.sum()


def make_sketch(bands_of_beats, beat_frames=20, beats=80):
    """A sketch in which each beat begins with the bands of one of a few, in turn."""
    sketch = np.full((BANDS, beats * beat_frames), -8.0, np.float32)
    for beat in range(beats):
        for band in bands_of_beats[beat % len(bands_of_beats)]:
            start = beat * beat_frames
            sketch[band, start : start + 12] = np.linspace(-2, -4, 12)
    return sketch


@pytest.mark.parametrize(
    ("quarters", "downbeat"), [(4, 0), (4, 1), (4, 2), (4, 3), (3, 0), (3, 1), (3, 2)]
)
def test_a_bar_begins_with_the_bass(quarters, downbeat):
    beats = [(30, 34)] * quarters
    beats[downbeat] = (3, 32, 35)
    listener = Listener()
    sketch = make_sketch(beats)
    for part in np.array_split(sketch, 7, axis=1):
        listener.push(part, part)
    beat = listener.find_beat(bar_quarters=quarters)
    seconds = 20 / FRAMES_PER_SECOND
    assert beat.tempo == pytest.approx(60 / seconds, rel=1e-3)
    assert round((beat.first_beat - DELAY_SECONDS) / seconds) % quarters == downbeat


def test_chords_have_a_key():
    # C, F, G and C major; band 8 is C2.
    chords = [(20, 24, 27), (25, 29, 32), (27, 31, 34), (20, 24, 27)]
    listener = Listener()
    sketch = make_sketch(chords)
    listener.push(sketch, sketch)
    assert listener.find_key() == "C major"
    unpitched = Listener(pitched=False)
    unpitched.push(sketch, sketch)
    assert unpitched.find_key() is None
