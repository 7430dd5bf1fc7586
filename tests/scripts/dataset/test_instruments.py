"""Parts on timbres."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from scripts.dataset import instruments
from scripts.dataset.dx7 import is_available
from scripts.dataset.score import Note, Part
from scripts.dataset.timbres import Timbre

PART = Part([Note(0.5, 0.25, 60, 90), Note(0.001, 0.25, 61, 90)])


def test_late_and_low_timbres_are_played_earlier_and_higher(monkeypatch):
    asked = []

    def play(part, duration_seconds, path, compass, cents, ending):
        asked.append((part, path, compass, cents, ending))
        return np.zeros(100, np.float32)

    monkeypatch.setattr(instruments, "render_sampled", play)
    timbre = Timbre("x", "sampled", Path("x"), 1.0, compass=(30, 70), delay_seconds=0.01, octaves=1)
    timbre = replace(timbre, ending=(0.5, 2.0))
    instruments.render_timbre(PART, 1.0, timbre, 12.0, Random(0))
    ((part, path, compass, cents, ending),) = asked
    assert [note.pitch for note in part.notes] == [72, 73]
    assert [note.start_seconds for note in part.notes] == [0.49, 0.0]
    assert (path, compass, cents, ending) == (Path("x"), (30, 70), 12.0, (0.5, 2.0))


@pytest.mark.parametrize("kind", ["machine", "plucked", "struck", "fm", "dx7"])
def test_numbers_need_no_file(kind):
    if kind == "dx7" and not is_available():
        pytest.skip("dexed-py is not installed")
    timbre = Timbre(kind, kind, None, 1.0)
    part = Part([Note(0.1, 0.25, 38, 90)])
    audio = instruments.render_timbre(part, 1.0, timbre, 0.0, Random(0))
    assert len(audio) == 22050
    assert audio.any()


def test_other_kinds_need_one():
    with pytest.raises(ValueError, match="expected a path for the timbre x, got None"):
        instruments.render_timbre(PART, 1.0, Timbre("x", "soundfont", None, 1.0), 0.0, Random(0))
