"""Drum kits, of which not every one has every drum."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from scripts.dataset import kit
from scripts.dataset.hydrogen import _WANTED, SAME_AS
from scripts.dataset.machine import render_machine
from scripts.dataset.score import Note, Part
from scripts.dataset.timbres import Timbre

GENERAL_MIDI = range(35, 82)
TRIANGLES = Part([Note(0.1 + index, 0.1, 81, 100) for index in range(4)])


def test_a_drum_of_general_midi_sounds_on_every_kit():
    assert {SAME_AS.get(drum, drum) for drum in GENERAL_MIDI} <= _WANTED.keys()
    assert np.abs(render_machine(TRIANGLES, 5.0, Random(0))).max() > 0.01


@pytest.mark.parametrize("seed", range(8))
def test_what_one_of_several_kits_lacks_another_plays(seed, monkeypatch):
    poor, rich = (Timbre(name, "hydrogen", Path(name), 1.0) for name in ("poor", "rich"))
    turns = [poor, rich, rich]
    monkeypatch.setattr(kit, "choose_timbre", lambda *_: turns.pop(0) if turns else rich)
    monkeypatch.setattr(
        kit,
        "render_timbre",
        lambda part, seconds, timbre, *_: np.full(100, timbre is rich, np.float32),
    )
    audio, names = kit.render_kit(TRIANGLES, 100 / 22050, [poor, rich], Random(seed))
    assert audio.any() == (len(turns) < 2)
    assert set(names) <= {"poor", "rich"}
