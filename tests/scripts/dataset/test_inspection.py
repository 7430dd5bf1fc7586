"""Instruments that are inspected."""

import json
from dataclasses import replace

import numpy as np
import pytest

from scripts.dataset.inspection import Inspection, find_problem, prepare

GOOD = Inspection("0250_x", 25, (40, 80), 4, 0, 3.0)
PIANO = replace(GOOD, name="0000_x", program=0)


def test_a_good_instrument_is_written(write_instrument, tmp_path):
    pitches = dict.fromkeys((42, 54, 66, 78), 0.3)
    folder = write_instrument(tmp_path / "in" / "0250_x", pitches)
    inspection, prints = prepare(folder, tmp_path)
    assert inspection.problem == ""
    assert (inspection.stem, inspection.program, inspection.compass) == ("guitar", 25, (36, 83))
    assert (inspection.zones, inspection.wrong_notes) == (4, 0)
    assert inspection.corrected_cents == pytest.approx(30, abs=3)
    assert len(prints) == 4
    assert (tmp_path / "0250_x" / "instrument.sfz").exists()


def test_what_sounds_an_octave_low_gets_the_keys_that_it_sounds(write_instrument, tmp_path):
    pitches = dict.fromkeys((54, 66, 78, 90), -12.3)
    folder = write_instrument(tmp_path / "in" / "0250_x", pitches)
    inspection, _ = prepare(folder, tmp_path)
    # Stated for the keys 48 to 95.
    assert (inspection.problem, inspection.compass) == ("", (36, 83))
    assert inspection.corrected_cents == pytest.approx(30, abs=3)


def test_a_bad_one_is_not(write_instrument, tmp_path):
    folder = write_instrument(tmp_path / "in" / "0250_x", {54: 0.0})
    inspection, prints = prepare(folder, tmp_path)
    assert inspection.problem == "plays only the keys 48 to 59"
    assert len(prints) == 0
    assert not (tmp_path / "0250_x").exists()


def test_an_inspection_is_read_as_it_was_written():
    text = json.dumps(GOOD.to_json())
    assert Inspection.from_json(json.loads(text)) == GOOD


@pytest.mark.parametrize(
    ("inspection", "seconds", "problem"),
    [
        (GOOD, 1.5, ""),
        (PIANO, 1.5, ""),
        (replace(GOOD, wrong_notes=2), 1.5, "2 of 4 samples sound another note than stated"),
        (replace(GOOD, compass=(40, 62)), 1.5, "plays only the keys 40 to 62"),
        (replace(GOOD, compass=(46, 83)), 1.5, "plays only the keys 46 to 83"),
        (replace(GOOD, compass=(45, 83)), 1.5, ""),
        (GOOD, 0.01, "has single waves only"),
        (GOOD, 0.3, "most samples are too short, and their loops do not meet"),
        (PIANO, 0.8, "most notes end within a second"),
        (GOOD, 0.8, ""),
    ],
)
def test_problems_are_found(make_zone, inspection, seconds, problem):
    played = [make_zone(60.0, seconds)] * 8
    assert find_problem(inspection, played) == problem


def test_only_distorted_guitars_may_have_no_clear_pitch(make_zone):
    noise = np.random.default_rng(0).standard_normal(33000).astype(np.float32)
    played = [replace(make_zone(), audio=noise)] * 8
    assert find_problem(GOOD, played) == "many samples have no clear pitch"
    assert find_problem(replace(GOOD, program=30), played) == ""
