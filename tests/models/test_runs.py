"""Specs of models of runs."""

import dataclasses

import pytest
from conftest import TINY

from msdm_cli.models.runs import find_architecture, fit_spec, resize


def test_a_run_is_told_by_its_config(tiny_cascade):
    stages = tiny_cascade.spec.stages
    found = [find_architecture(stage.config) for stage in stages]
    assert found == [stage.architecture for stage in stages]
    assert find_architecture({"channels": 128}) == "unet1d"


def test_each_stage_gets_its_run(tiny_cascade):
    configs = [dict(stage.config) for stage in tiny_cascade.spec.stages]
    spec, runs = fit_spec("mine", [configs[1], configs[2], configs[0]], tiny_cascade.spec)
    assert runs == [2, 0, 1]
    assert spec == dataclasses.replace(tiny_cascade.spec, name="mine")
    spec, runs = fit_spec("mine", configs[:1], tiny_cascade.spec)
    assert runs == [0]
    assert len(spec.stages) == 1


def test_other_runs_make_no_model(tiny_cascade):
    configs = [dict(stage.config) for stage in tiny_cascade.spec.stages]
    for wrong in (configs[1:2], configs[:2], [configs[0]] * 3):
        with pytest.raises(ValueError, match="expected one of stft_unet, or one each of"):
            fit_spec("mine", wrong, tiny_cascade.spec)
    bass = dataclasses.asdict(dataclasses.replace(TINY, stems=1))
    with pytest.raises(ValueError, match="a run of 1 stems"):
        fit_spec("mine", [bass], tiny_cascade.spec)


def test_another_first_network_leaves_the_other_stages(tiny_cascade):
    config = {**tiny_cascade.spec.stage.config, "embedding": 32}
    spec = resize(tiny_cascade.spec, config | {"channels": [8, 16, 16], "blocks": [1, 1, 1]})
    assert spec.stages[1:] == tiny_cascade.spec.stages[1:]
    assert spec.stage.config["embedding"] == 32
    assert spec.stage.presets == tiny_cascade.spec.stage.presets
