"""Pitches that are measured."""

from dataclasses import replace

import numpy as np
import pytest

from scripts.dataset.tuning import (
    OTHER_RATE_SEMITONES,
    measure_pitch,
    sound_as_written,
    sounds_lower,
    tune,
    tune_all,
)
from scripts.dataset.zones import read_zones


def read_roots(zones):
    return [zone.root for zone in zones]


def test_a_pitch_is_measured_from_the_stated_one(make_zone):
    sounding = make_zone(60.0)
    pitch = measure_pitch(replace(sounding, root=59.7))
    assert pitch.cents == pytest.approx(30, abs=3)
    assert pitch.clarity > 0.9
    assert pitch.rival < pitch.clarity


def test_noise_has_no_pitch(make_zone):
    zone = make_zone()
    noise = np.random.default_rng(0).standard_normal(len(zone.audio)).astype(np.float32)
    unclear = replace(zone, audio=noise)
    assert measure_pitch(unclear).clarity < 0.5
    # What is unclear is believed to sound as stated.
    assert tune(unclear) is unclear


def test_a_sample_out_of_tune_is_corrected(write_instrument, tmp_path):
    zones = read_zones(write_instrument(tmp_path / "x", {48: 0.35, 60: -0.4}))
    assert read_roots(tune_all(zones)) == pytest.approx([48.35, 59.6], abs=0.03)


def test_stiff_strings_that_are_in_tune_stay_as_they_are(make_zone):
    zone = make_zone()
    time = np.arange(len(zone.audio)) / zone.rate
    # A string of a grand, whose partials are sharper the higher they are.
    partials = {n: n * np.sqrt((1 + 0.0005 * n * n) / 1.0005) for n in range(1, 7)}
    audio = sum(np.sin(2 * np.pi * zone.hz * partials[n] * time) / n for n in partials)
    stiff = replace(zone, audio=(audio / 4).astype(np.float32))
    assert measure_pitch(stiff).cents > 4
    assert tune(stiff) is stiff


def test_what_sounds_another_note_is_left_out(write_instrument, tmp_path):
    zones = read_zones(write_instrument(tmp_path / "x", {48: 0.0, 60: 3.0, 72: 0.0, 84: 0.0}))
    assert [round(root) for root in read_roots(tune_all(zones))] == [48, 72, 84]


def test_samples_of_another_rate_are_tuned_together(write_instrument, tmp_path):
    off = OTHER_RATE_SEMITONES
    zones = read_zones(write_instrument(tmp_path / "x", {48: off, 60: off, 72: off}))
    assert read_roots(tune_all(zones)) == pytest.approx([48 + off, 60 + off, 72 + off], abs=0.03)


def state_higher(zone):
    """The zone as if its sample sounded an octave above what it does."""
    return replace(zone, root=zone.root + 12, low=zone.low + 12, high=zone.high + 12)


def test_what_sounds_an_octave_low_gets_the_keys_that_it_sounds(make_zone):
    zones = [make_zone(root, low=round(root) - 3, high=round(root) + 3) for root in (48.0, 60.0)]
    stated = [state_higher(zone) for zone in zones]
    # Its samples are in tune: an octave is not a wrong note.
    assert tune_all(stated) == stated
    assert sound_as_written(stated) == zones


def test_most_samples_must_sound_low(make_zone):
    zones = [make_zone(48.0), make_zone(60.0)]
    mixed = [state_higher(zones[0]), zones[1]]
    assert [sounds_lower(zone) for zone in mixed] == [True, False]
    assert sound_as_written(mixed) == mixed


def test_what_hardly_repeats_does_not_sound_low(make_zone):
    zone = make_zone(48.0)
    noise = np.random.default_rng(0).standard_normal(len(zone.audio)) * np.std(zone.audio)
    noisy = replace(state_higher(zone), audio=(zone.audio + noise).astype(np.float32))
    assert sounds_lower(state_higher(zone))
    assert not sounds_lower(noisy)


def test_high_notes_whose_periods_fall_between_samples_do_not_sound_low(make_zone):
    assert not any(sounds_lower(make_zone(float(root))) for root in range(84, 102))


def test_four_periods_are_not_taken_for_five_of_a_note_a_third_higher(write_instrument, tmp_path):
    # At the other rate too low, four periods of 58.0 last as long as five of 61.86.
    zones = read_zones(write_instrument(tmp_path / "x", {60: 1.86}))
    assert read_roots(tune_all(zones)) == pytest.approx([61.86], abs=0.03)
