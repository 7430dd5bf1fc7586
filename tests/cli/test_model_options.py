import pytest
import typer

from msdm_cli.backends.runtime import Runtime
from msdm_cli.cli.display import Display
from msdm_cli.cli.model_options import (
    check_stems,
    choose_music_presets,
    choose_preset,
    find_anchor,
    find_spec,
    load_chosen,
)
from msdm_cli.cli.options import Quality
from msdm_cli.errors import MissingPreset, UnknownModel
from msdm_cli.interface import Model


def test_the_spec_of_a_model_is_found_by_its_name(tiny):
    assert find_spec("quintet").stems[0] == "vocals"
    with pytest.raises(UnknownModel):
        find_spec("nonsense")


def test_stems_keep_their_order_and_come_once(tiny_model):
    assert check_stems(["piano", "bass", "piano"], tiny_model.spec, "--stems") == ("piano", "bass")
    assert check_stems([], tiny_model.spec, "--stems") == ()


def test_an_unknown_stem_lists_the_known_ones(tiny_model):
    with pytest.raises(typer.BadParameter, match="it has bass, drums, guitar, piano") as caught:
        check_stems(["kazoo"], tiny_model.spec, "--target")
    assert caught.value.param_hint == "--target"


def test_a_quality_is_a_preset_and_so_is_a_sampler(tiny):
    spec = find_spec("paper")
    presets = spec.stage.presets["separate"]
    assert choose_preset(spec, "separate", None, Quality.fast, None) == presets["fast"]
    assert choose_preset(spec, "separate", "dirac", Quality.default, None) == presets["dirac"]
    five = choose_preset(spec, "separate", "dirac", Quality.default, 5)
    assert (five.sampler, five.options.num_steps) == ("dirac", 5)


@pytest.mark.parametrize(
    ("sampler", "quality", "steps", "words"),
    [
        ("euler", "default", None, "euler is no sampler of the model paper to separate; it has d"),
        ("fast", "default", None, "fast is no sampler"),
        ("dirac", "best", None, "one quality"),
        (None, "default", 0, "steps"),
    ],
)
def test_what_a_model_does_not_have_is_wrong_usage(tiny, sampler, quality, steps, words):
    with pytest.raises(typer.BadParameter, match=words):
        choose_preset(find_spec("paper"), "separate", sampler, Quality(quality), steps)


def test_a_model_without_samplers_says_so(tiny_model):
    with pytest.raises(typer.BadParameter, match="it has none to choose"):
        choose_preset(tiny_model.spec, "impute", "published", Quality.default, None)


def test_a_quality_that_is_missing_is_an_error(tiny_model):
    with pytest.raises(MissingPreset, match="no settings best to separate"):
        choose_preset(tiny_model.spec, "separate", None, Quality.best, None)


def test_a_model_is_loaded_on_the_chosen_runtime(tiny):
    model = load_chosen("tiny", Runtime("torch", "cpu,cpu", "fp32"), Display(quiet=True))
    assert isinstance(model, Model)
    assert model.devices == 2
    threads = model.runtime.threads
    assert threads >= 1
    assert model.runtime == Runtime("torch", "cpu,cpu", "fp32", threads)


def choose_changed(sampler, **changes):
    spec = find_spec("paper")
    return choose_preset(spec, "separate", sampler, Quality.default, None, changes)


def test_options_of_a_sampler_may_be_changed(tiny):
    anchor = find_anchor("guitar", find_spec("paper"))
    preset = choose_changed("dirac", churn=5.0, num_resamples=3, mixture_scale=None, anchor=anchor)
    options = preset.options
    assert (options.churn, options.num_resamples, options.anchor) == (5.0, 3, 2)
    assert preset.calls == 6


@pytest.mark.parametrize(
    ("sampler", "changes", "words", "option"),
    [
        (
            "dirac",
            {"mixture_scale": 0.5},
            "dirac has --num-resamples, --churn, --anchor",
            "--gamma",
        ),
        (None, {"churn": 5.0}, "consistent has no such option", "--churn"),
        ("dirac", {"churn": -1.0}, "out of range", "--churn"),
    ],
)
def test_options_that_a_sampler_does_not_have_are_wrong_usage(
    tiny, sampler, changes, words, option
):
    with pytest.raises(typer.BadParameter, match=words) as caught:
        choose_changed(sampler, **changes)
    assert caught.value.param_hint == option


def test_an_anchor_is_a_stem(tiny):
    assert find_anchor(None, find_spec("quintet")) is None
    assert find_anchor("vocals", find_spec("quintet")) == 0
    with pytest.raises(typer.BadParameter, match="kazoo is no stem") as caught:
        find_anchor("kazoo", find_spec("quintet"))
    assert caught.value.param_hint == "--anchor"


def test_steps_of_music_are_those_of_its_sketch(tiny_cascade):
    spec = tiny_cascade.spec
    sound, sketch = choose_music_presets(spec, "generate", None, Quality.default, 9, {})
    assert (sound.calls, sketch.calls) == (1, 9)
    assert choose_music_presets(spec, "generate", None, Quality.default, None, {}) == (
        spec.preset("generate", "default"),
        spec.sketch_preset("generate", "default"),
    )


def test_steps_of_music_in_one_stage_are_those_of_its_sampler(tiny):
    sound, sketch = choose_music_presets(
        find_spec("tiny"), "generate", None, Quality.default, 9, {}
    )
    assert (sound.calls, sketch) == (9, None)
