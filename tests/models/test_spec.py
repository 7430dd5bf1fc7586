import dataclasses

import pytest

from msdm_cli.errors import IncompatibleCheckpoint
from msdm_cli.models.registry import weights_folder
from msdm_cli.models.spec import QUALITIES, Preset, load_spec
from msdm_cli.tasks.sampling import calls_per_chunk


def test_what_is_saved_is_loaded(tiny_model, tmp_path):
    path = tmp_path / "spec.json"
    tiny_model.spec.save(path)
    assert load_spec(path) == tiny_model.spec


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"presets": {}}', "not json"])
def test_what_is_no_spec_is_refused(tmp_path, content):
    path = tmp_path / "spec.json"
    path.write_text(content)
    with pytest.raises(IncompatibleCheckpoint, match="not a model spec"):
        load_spec(path)


def test_a_missing_spec_is_refused(tmp_path):
    with pytest.raises(IncompatibleCheckpoint):
        load_spec(tmp_path / "none.json")


@pytest.mark.parametrize("change", [{"chunk_length": 1000}, {"context": 8192}])
def test_impossible_geometry_is_refused(tiny_model, change):
    with pytest.raises(ValueError, match="expected"):
        dataclasses.replace(tiny_model.spec, **change)


@pytest.mark.parametrize(
    "fields",
    [
        {"num_steps": 0, "sigma_max": 1.0},
        {"num_steps": -1, "sigma_max": 1.0},
        {"num_steps": 1, "sigma_max": 1e-9},
        {"num_steps": 1, "sigma_max": 1.0, "samples": 0},
    ],
)
def test_impossible_presets_are_refused(fields):
    with pytest.raises(ValueError, match="expected"):
        Preset(**fields)


def test_steps_can_be_replaced():
    preset = Preset(num_steps=3, sigma_max=1.0)
    assert preset.with_steps(None) is preset
    assert preset.with_steps(9).num_steps == 9
    averaged = Preset(num_steps=0, sigma_max=1.0, warm_start=True, samples=4)
    assert averaged.with_steps(2).samples == 1
    assert averaged.with_steps(None).samples == 4


@pytest.mark.parametrize("task", ["separate", "impute", "generate"])
def test_each_quality_of_the_embedded_model_takes_more_calls_than_the_one_before(task):
    spec = load_spec(weights_folder() / "embedded.json")
    fast, default, best = (calls_per_chunk(spec.preset(task, quality)) for quality in QUALITIES)
    assert fast < default < best
