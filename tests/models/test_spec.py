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
        ({"stages": []}, "a first stage without a name, then others, got \\[\\]"),
        ({"stages": {}}, "a first stage|Expected `array`"),
        ({"sample_rate": "fast"}, "Expected `int`, got `str` - at `\\$.sample_rate`"),
        ({"stems": ["voice", "voice"]}, "different names"),
        ({"stems": []}, "different names"),
        ({"stems": ["voice", "../../x"]}, "in letters and digits"),
        ({"stems": ["voice", "x" * 100]}, "in letters and digits"),
        ({"stems": [str(number) for number in range(65)]}, "up to 64 names"),
        ({"stems": ["voice", "mixture"]}, "that no other result has, got mixture"),
        ({"stems": ["voice", "residual"]}, "that no other result has, got residual"),
        ({"stems": ["voice", "without-voice"]}, "got without-voice"),
        ({"level_db": 1e308}, "level of -120 to 0 dB"),
        ({"level_db": -1e308}, "level of -120 to 0 dB"),
        ({"sample_rate": 10**9}, "expected 100 to 1000000 Hz"),
        ({"chunk_length": 1 << 40}, "chunks of up to 16777216 samples"),
        ({"sigma_max": 0}, "sigma_max above 0"),
        ({"chunk_length": 1000}, "multiple of 1024"),
        ({"context": 4096}, "context below half"),
        (
            {"stage": {"representation": "cepstrum"}},
            "representation of waveform, sketch, envelope, got cepstrum",
        ),
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


SOUND = dataclasses.replace(
    STAGE, name="sound", representation="envelope", presets={"generate": {"fast": PRESET}}
)
SKETCHES = dataclasses.replace(SOUND, name="sketch", representation="sketch")


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ((STAGE, STAGE), r"without a name, then others, got \['', ''\]"),
        ((SOUND,), "a first stage without a name"),
        ((STAGE, SKETCHES), r"one stage, or a sketch and an envelope, got \['sketch'\]"),
        ((STAGE, SOUND, SKETCHES), r"got \['envelope', 'sketch'\]"),
        ((STAGE, SKETCHES, SOUND), "a context in multiples of 2048, got 512"),
    ],
)
def test_stages_that_do_no_task_are_refused(stages, reason):
    with pytest.raises(ValueError, match=reason):
        dataclasses.replace(SPEC, chunk_length=16384, length_multiple=2048, stages=stages)


def test_a_sampler_of_sketches_needs_a_stage_that_draws_some():
    chosen = Preset.from_json({"sampler": "chosen", "num_steps": 3, "sigma_max": 50.0})
    assert dataclasses.replace(SKETCHES, presets={"generate": {"fast": chosen}})
    for stage in (STAGE, SOUND):
        with pytest.raises(ValueError, match=f"samplers of a {stage.representation}, got .*chosen"):
            dataclasses.replace(stage, presets={"generate": {"fast": PRESET, "best": chosen}})


def test_a_task_is_done_by_the_stages_that_have_settings_for_it(tmp_path):
    other = Preset.from_json({"sampler": "consistent", "num_steps": 7, "sigma_max": 9.0})
    sketches = dataclasses.replace(SKETCHES, presets={"generate": {"fast": other}}, guidance=2.0)
    spec = dataclasses.replace(
        SPEC,
        chunk_length=16384,
        length_multiple=2048,
        context=2048,
        stages=(STAGE, sketches, dataclasses.replace(SOUND, told_error=0.5)),
    )
    assert [spec.list_stages(task) for task in ("separate", "impute", "generate")] == [
        (0,),
        (),
        (1, 2),
    ]
    assert spec.preset("generate", "fast") == PRESET
    assert spec.sketch_preset("generate", "fast") == other
    assert spec.sketch_preset("separate", "fast") is None
    with pytest.raises(MissingPreset, match="no settings best to generate"):
        spec.sketch_preset("generate", "best")
    spec.save(tmp_path / "spec.json")
    assert load_spec(tmp_path / "spec.json") == spec


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"presets": {}}', "not json", "null", "[" * 100_000]
)
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
    fast, default, best = (
        (spec.sketch_preset(task, quality) or spec.preset(task, quality)).calls
        for quality in QUALITIES
    )
    assert fast < default < best
