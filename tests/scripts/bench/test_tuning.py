"""How far notes are from what is asked for is measured, octaves too."""

import pytest

pytest.importorskip("librosa")

from scripts.bench import tuning
from scripts.bench.tuning import list_all, measure
from scripts.dataset.timbres import Timbre

STRING = Timbre("string", "plucked", None, 1.0)
HIGH_STRING = Timbre("high", "plucked", None, 1.0, octaves=1)


def test_a_note_in_tune_is_found_there():
    assert measure(STRING, 57) == pytest.approx(0.0, abs=0.2)


def test_an_octave_counts():
    assert measure(HIGH_STRING, 57) == pytest.approx(12.0, abs=0.2)


def test_drums_are_left_out_and_no_timbre_comes_twice(monkeypatch, tmp_path):
    timbres = {"drums": [STRING], "guitar": [STRING], "piano": [HIGH_STRING]}
    monkeypatch.setattr(tuning, "list_timbres", lambda *of: timbres)
    assert list(list_all(tmp_path, None, tmp_path)) == [
        (split, stem, timbre)
        for split in ("train", "validation")
        for stem, timbre in (("guitar", STRING), ("piano", HIGH_STRING))
    ]


def test_what_is_off_in_half_of_its_notes_is_listed(monkeypatch, tmp_path):
    found = {"in tune": [0.1, 0.4, 12.0], "off": [0.0, -3.9, 12.0], "noise": [float("nan")] * 3}
    timbres = {name: Timbre(name, "plucked", None, 1.0) for name in found}
    monkeypatch.setattr(
        tuning, "list_all", lambda *of: [("train", "bass", timbre) for timbre in timbres.values()]
    )
    pitches = tuning.NOTES["bass"]
    monkeypatch.setattr(tuning, "measure", lambda timbre, p: found[timbre.name][pitches.index(p)])
    tuning.main(tmp_path, output=tmp_path / "tuning.md")
    rows = (tmp_path / "tuning.md").read_text().splitlines()[5:]
    assert rows == [
        "| train | bass | off | 0.0, -3.9, 12.0 |",
        "| train | bass | noise | nan, nan, nan |",
    ]
