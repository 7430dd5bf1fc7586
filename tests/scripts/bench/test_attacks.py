"""The bench of attacks: true stems cost nothing, and a true envelope helps."""

import numpy as np
import pytest
from powers import Powers

pytest.importorskip("librosa")

from scripts.bench import attacks


def test_ways_from_sketch_to_sound(songs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(attacks, "Musicnn", Powers)
    monkeypatch.setattr(attacks, "LENGTH", attacks.TOKEN_SAMPLES * 40)
    attacks.main(songs / "train", output=tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    assert report == capsys.readouterr().out
    rows = [line.strip("| ").split(" | ") for line in report.splitlines()[4:]]
    errors = {name: np.array(cells[:4], float) for name, *cells in rows[1:]}
    assert len(errors) == 4
    assert (errors["true stems"] == 0).all()
    *_, guessed, true = errors.values()
    assert np.nanmean(true) < np.nanmean(guessed) - 1
