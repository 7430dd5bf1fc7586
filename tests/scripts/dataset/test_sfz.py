"""Instruments in SFZ."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from scripts.dataset.sampled import render_sampled
from scripts.dataset.score import Note, Part
from scripts.dataset.sfz import write_sfz
from scripts.dataset.tuning import measure_pitch

PIANO = 0
DISTORTED_GUITAR = 30


def read_regions(folder):
    lines = (folder / "instrument.sfz").read_text().splitlines()
    assert lines[0].startswith("<global>")
    assert all(line.startswith("<region>") for line in lines[1:])
    return [dict(field.split("=") for field in line.split()[1:]) for line in lines[1:]]


def test_keys_of_a_zone_share_a_sample(make_zone, tmp_path):
    low = make_zone(48.0)
    high = make_zone(60.25)
    write_sfz({48: low, 49: low, 60: high}, PIANO, tmp_path)
    regions = read_regions(tmp_path)
    assert [region["sample"] for region in regions] == ["0.flac", "0.flac", "1.flac"]
    assert [region["key"] for region in regions] == ["48", "49", "60"]
    # A sample a quarter of a semitone sharp is tuned down.
    assert (regions[2]["pitch_keycenter"], regions[2]["tune"]) == ("60", "-25.0")
    sample, _ = soundfile.read(tmp_path / "0.flac")
    assert np.abs(sample).max() == pytest.approx(0.7, abs=1e-3)


def test_held_notes_die_away_unless_the_instrument_sustains(make_zone, tmp_path):
    zone = replace(make_zone(), loop=(5000, 5999))
    for program, decays in ((PIANO, True), (DISTORTED_GUITAR, False)):
        write_sfz({60: zone}, program, tmp_path)
        (region,) = read_regions(tmp_path)
        assert region["loop_mode"] == "loop_continuous"
        assert (region["loop_start"], region["loop_end"]) == ("5000", "5999")
        assert ("ampeg_decay" in region) is decays
    write_sfz({60: replace(zone, loop=None)}, PIANO, tmp_path)
    assert read_regions(tmp_path)[0]["loop_mode"] == "no_loop"


@pytest.mark.parametrize("key", [57, 60])
def test_a_sample_that_still_sounds_at_its_end_has_faded_out_by_then(key, make_zone, tmp_path):
    zone = make_zone(60.0, 1.2)
    steady = replace(zone, audio=np.sin(np.arange(len(zone.audio)) / 10).astype(np.float32))
    write_sfz({key: steady}, PIANO, tmp_path)
    part = Part([Note(0.0, 2.5, key, 100)])
    audio = render_sampled(part, 2.5, tmp_path / "instrument.sfz", (48, 72), 0.0)
    frames = audio[: len(audio) // 441 * 441].reshape(-1, 441)
    levels = 10 * np.log10(np.square(frames).mean(1) + 1e-12)
    end = round(1.2 * 2 ** ((60 - key) / 12) * 50)
    assert levels[10] == pytest.approx(levels[2], abs=12)
    assert levels[end - 3] < levels[2] - 50
    # It never falls by more than 2 dB in 20 ms before that.
    assert np.diff(levels[1 : end - 3]).min() > -2


def test_a_sample_that_dies_away_by_itself_has_no_envelope(make_zone, tmp_path):
    zone = make_zone(60.0, 1.5)
    fading = zone.audio * np.exp(-8 * np.arange(len(zone.audio)) / zone.rate).astype(np.float32)
    write_sfz({60: replace(zone, audio=fading)}, PIANO, tmp_path)
    assert "ampeg_decay" not in read_regions(tmp_path)[0]


def test_what_is_written_sounds_in_tune(make_zone, tmp_path):
    # A sample that sounds at pitch 59.6.
    zone = replace(make_zone(59.6), low=60, high=72)
    write_sfz({67: zone}, PIANO, tmp_path)
    part = Part([Note(0.0, 1.0, 67, 100)])
    audio = render_sampled(part, 1.2, tmp_path / "instrument.sfz", (60, 72), 0.0)
    played = replace(zone, audio=audio, rate=22050, root=67.0)
    pitch = measure_pitch(played)
    assert pitch.cents == pytest.approx(0, abs=3)
    assert pitch.clarity > 0.9
