"""Zones as they are published."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from scripts.dataset.zones import assign_keys, find_compass, name_stem, read_zones

RATE_HZ = 22050
SILENT_SAMPLES = 2000
"""Before each sample of the fixture."""


def test_programs_belong_to_stems():
    stems = [name_stem(program) for program in (0, 7, 24, 31, 32, 39)]
    assert stems == ["piano", "piano", "guitar", "guitar", "bass", "bass"]
    with pytest.raises(KeyError):
        name_stem(8)


def test_silence_before_a_sample_is_cut(write_instrument, tmp_path):
    (zone,) = read_zones(write_instrument(tmp_path / "x", {60: 0.0}))
    assert np.argmax(np.abs(zone.audio) > 0.05) < 0.005 * RATE_HZ
    assert zone.seconds == pytest.approx(1.5, abs=0.002)
    assert (zone.low, zone.high, zone.root, zone.loop) == (54, 65, 60.0, None)
    assert zone.hz == pytest.approx(261.63, abs=0.01)


def test_tuning_is_added_to_the_root(write_instrument, tmp_path):
    folder = write_instrument(tmp_path / "x", {60: 0.0}, coarse_tune=2, fine_tune=-25)
    assert read_zones(folder)[0].root == 60 - 2 + 0.25


def test_zones_that_no_key_plays_are_left_out(write_instrument, tmp_path):
    assert read_zones(write_instrument(tmp_path / "x", {60: 0.0}, key_low=70)) == []


def test_loops_move_with_the_onset(write_instrument, tmp_path):
    folder = write_instrument(tmp_path / "x", {60: 0.0}, loop_start=5000, loop_end=6000)
    (zone,) = read_zones(folder)
    onset = SILENT_SAMPLES + round(1.5 * RATE_HZ) - len(zone.audio)
    assert zone.loop == (5000 - onset, 6000 - onset - 1)
    short = write_instrument(tmp_path / "y", {60: 0.0}, loop_start=5000, loop_end=5008)
    assert read_zones(short)[0].loop is None


def test_loops_of_another_rate_are_those_of_the_file(write_instrument, tmp_path):
    folder = write_instrument(
        tmp_path / "x", {60: 0.0}, file="x.wav", sample_rate=44100, loop_start=20000, loop_end=30000
    )
    stereo = np.full((RATE_HZ, 2), (0.25, 0.75))
    soundfile.write(folder / "x.wav", stereo, RATE_HZ)
    (zone,) = read_zones(folder)
    assert zone.rate == RATE_HZ
    assert zone.loop == (10000, 14999)
    np.testing.assert_allclose(zone.audio, 0.5, atol=1e-3)


def test_a_key_is_played_by_the_nearest_zone(make_zone):
    low = make_zone(48.0, low=40, high=60)
    high = make_zone(60.0, low=50, high=80)
    keys = assign_keys([low, high])
    assert [key for key, zone in keys.items() if zone is low] == list(range(40, 55))
    # 14 semitones above its pitch is as high as a zone goes.
    assert [key for key, zone in keys.items() if zone is high] == list(range(55, 75))


def test_a_compass_has_no_gap_and_ends_with_the_stem(make_zone):
    zone = make_zone()
    keys = dict.fromkeys((*range(20, 30), *range(40, 80)), zone)
    assert find_compass(keys, "guitar") == (40, 79)
    assert find_compass(keys, "bass") == (40, 60)
    assert find_compass({}, "piano") == (0, 0)


def test_seconds_are_those_of_the_rate(make_zone):
    zone = make_zone()
    assert replace(zone, rate=2 * zone.rate).seconds == pytest.approx(zone.seconds / 2)
