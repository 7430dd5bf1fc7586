"""Settings of music: what a row changes, and what it prints."""

import dataclasses

import numpy as np
import pytest
from powers import Powers

pytest.importorskip("librosa")

from msdm_cli.model import Model
from scripts.bench import music_frontier as bench


@pytest.fixture
def model(tiny_cascade):
    fields = {field.name: getattr(tiny_cascade, field.name) for field in dataclasses.fields(Model)}
    return Model(**fields)


def test_a_row_changes_the_settings_that_it_names(model):
    settings = {"num_steps": 7, "eta": 0.1, "guidance": 3.0, "told_error": 0.9}
    changed = bench.change_model(model, settings).spec
    sketch = changed.sketch_preset("generate", "default")
    assert (sketch.options.num_steps, sketch.options.eta) == (7, 0.1)
    assert (changed.stages[1].guidance, changed.stages[2].told_error) == (3.0, 0.9)
    assert changed.preset("generate", "default") == model.spec.preset("generate", "default")
    same = bench.change_model(model, {}).spec
    assert same.sketch_preset("generate", "default") == model.spec.sketch_preset(
        "generate", "default"
    )
    assert same.stages[1].guidance == model.spec.stages[1].guidance


def test_settings_and_seeds_decide_what_is_drawn(model, monkeypatch):
    monkeypatch.setattr(bench, "SECONDS", 1.0)
    usual, again, steps, seeds = (
        bench.draw_takes(model, Powers(), settings, 2)[0]
        for settings in ({}, {}, {"num_steps": 9}, {"seed": 1})
    )
    np.testing.assert_array_equal(usual, again)
    assert (usual != steps).any()
    assert (usual != seeds).any()


def test_the_table_has_a_row_of_each_setting(model, songs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "SECONDS", 1.0)
    monkeypatch.setattr(bench, "Musicnn", Powers)
    monkeypatch.setattr(bench, "load_model", lambda device: model)
    few = {"usual": {}, "fewer steps": {"num_steps": 1}}
    monkeypatch.setattr(bench, "VARIANTS", few)
    bench.main(songs / "train", count=2, output=tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    assert report == capsys.readouterr().out
    assert "| usual |" in report
    assert report.count("\n| ") == 3
    assert "| fewer steps | 1 |" in report
