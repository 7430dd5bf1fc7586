import dataclasses
import json

import pytest

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import MissingPreset, UnreadableSpec
from msdm_cli.models.registry import weights_folder
from msdm_cli.models.spec import PAPER_STEMS, QUALITIES, ModelSpec, Stage, load_spec

PRESET = Preset.from_json({"sampler": "consistent", "num_steps": 3, "sigma_max": 5.0})
STAGE = Stage("stft_unet", {"stems": 2}, "waveform", {"separate": {"fast": PRESET}})
SPEC = ModelSpec(
    name="duo",
    stems=("voice", "flute"),
    sample_rate=16000,
    chunk_length=8192,
    context=512,
    length_multiple=1024,
    sigma_max=10.0,
    stages=(STAGE,),
)


def test_a_saved_spec_loads_as_the_same(tmp_path):
    path = tmp_path / "spec.json"
    SPEC.save(path)
    assert load_spec(path) == SPEC


def test_the_embedded_spec_saves_as_it_ships(tmp_path):
    shipped = weights_folder() / "embedded.json"
    load_spec(shipped).save(tmp_path / "spec.json")
    assert (tmp_path / "spec.json").read_bytes() == shipped.read_bytes()
    assert load_spec(shipped).stems == PAPER_STEMS


def change(path, stage=None, **fields):
    SPEC.save(path)
    content = json.loads(path.read_text())
    content["stages"][0] |= stage or {}
    path.write_text(json.dumps(content | fields))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"stages": []}, "exactly 1 stage, got 0"),
        ({"stages": {}}, "expected exactly 1 stage|Expected `array`"),
        ({"sample_rate": "fast"}, "Expected `int`, got `str` - at `\\$.sample_rate`"),
        ({"stems": ["voice", "voice"]}, "different names"),
        ({"stems": []}, "different names"),
        ({"chunk_length": 1000}, "multiple of 1024"),
        ({"context": 4096}, "context below half"),
        ({"stage": {"representation": "cepstrum"}}, "representation of waveform, got cepstrum"),
        ({"stage": {"presets": {"separate": {"fast": {"sampler": "euler"}}}}}, "got euler"),
        ({"stage": {"presets": None}}, "NoneType"),
    ],
)
def test_a_spec_that_means_nothing_is_refused(tmp_path, fields, reason):
    path = tmp_path / "spec.json"
    change(path, **fields)
    with pytest.raises(UnreadableSpec, match=reason) as caught:
        load_spec(path)
    assert str(path) in caught.value.message


def test_two_stages_are_refused():
    with pytest.raises(ValueError, match="exactly 1 stage, got 2"):
        dataclasses.replace(SPEC, stages=(STAGE, STAGE))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"presets": {}}', "not json", "null"])
def test_other_content_is_refused(tmp_path, content):
    path = tmp_path / "spec.json"
    path.write_text(content)
    with pytest.raises(UnreadableSpec, match="not a model spec"):
        load_spec(path)


def test_a_missing_spec_is_refused(tmp_path):
    with pytest.raises(UnreadableSpec, match=r"none\.json"):
        load_spec(tmp_path / "none.json")


def test_a_preset_is_found_by_task_and_name():
    assert SPEC.preset("separate", "fast") is PRESET
    with pytest.raises(MissingPreset, match="duo has no settings best to separate") as caught:
        SPEC.preset("separate", "best")
    assert caught.value.remedy == "It has fast."
    with pytest.raises(MissingPreset, match="no settings fast to generate"):
        SPEC.preset("generate", "fast")


@pytest.mark.parametrize("task", ["separate", "impute", "generate"])
def test_each_quality_of_the_embedded_model_takes_more_calls_than_the_one_before(task):
    spec = load_spec(weights_folder() / "embedded.json")
    fast, default, best = (spec.preset(task, quality).calls for quality in QUALITIES)
    assert fast < default < best
