"""Which candidates rows have, and what they print."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("librosa")

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.chosen import ChosenOptions
from msdm_cli.model import Model
from scripts.bench import choosing as bench

FEW = ChosenOptions(num_steps=3, sigma_max=20.0, eta=0.5, candidates=9, sigma=5.0)


@pytest.fixture
def model(tiny_cascade):
    """A small model whose quality ``best`` has candidates."""
    stages = []
    for stage in tiny_cascade.spec.stages:
        usual = stage.presets.get("impute", {}).get("default")
        best = Preset("chosen", FEW) if stage.name == "sketch" else usual
        impute = {"impute": {"default": usual, "best": best}} if usual else {}
        stages.append(dataclasses.replace(stage, presets={**stage.presets, **impute}))
    spec = dataclasses.replace(tiny_cascade.spec, stages=tuple(stages))
    fields = {field.name: getattr(tiny_cascade, field.name) for field in dataclasses.fields(Model)}
    return Model(**{**fields, "spec": spec})


def test_rows_differ_in_the_number_of_candidates(model):
    usual, *others = bench.list_models(model)
    assert usual == ("`default`", model, "default")
    assert [name for name, _, _ in others] == ["one of 2", "one of 4", "one of 8"]
    for count, (_, changed, quality) in zip(bench.CANDIDATES, others, strict=True):
        preset = changed.spec.sketch_preset("impute", quality)
        assert preset.options == dataclasses.replace(FEW, candidates=count)
        assert changed.spec.preset("impute", quality) == model.spec.preset("impute", quality)


def test_changes_have_a_standard_error():
    base = np.array([0.1, 0.2, np.nan, 0.5])
    assert bench.describe(base, base) == "0.267"
    assert bench.describe(np.array([0.2, 0.4, 9.0, np.nan]), base) == "0.300 (+0.150 ± 0.035)"


@pytest.mark.filterwarnings("ignore:Trying to estimate tuning")
def test_the_table_has_a_row_of_each_number(model, songs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "load_model", lambda device: model)
    monkeypatch.setattr(bench, "find_roll", lambda x: np.ones((12, 20), bool))
    bench.main(songs / "validation", seconds=1.0, output=tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    assert report == capsys.readouterr().out
    rows = [line.split(" | ") for line in report.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == [
        "| sketch",
        "| `default`",
        *(f"| one of {count}" for count in bench.CANDIDATES),
    ]
    assert all(len(row) == 1 + len(bench.FIGURES) for row in rows)
    assert {row[3] for row in rows[1:]} == {"1.000"}
