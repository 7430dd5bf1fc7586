import json
from typing import get_args

import pytest
import typer
from run_msdm import msdm

from msdm_cli.audio.formats import FORMATS, SoundFormat
from msdm_cli.backends.onnx_backend import PROVIDERS
from msdm_cli.backends.runtime import Runtime
from msdm_cli.cli.options import (
    LARGEST_SEED,
    ProviderOption,
    Quality,
    check_finite,
    check_name,
    check_seed,
    choose_from,
    choose_runtime,
)
from msdm_cli.models.spec import QUALITIES


def test_qualities_are_those_of_specs():
    assert tuple(Quality) == QUALITIES


def test_the_help_names_all_providers():
    help_text = get_args(ProviderOption)[1].help
    assert [word for word in PROVIDERS if word in help_text] == list(PROVIDERS)


def test_a_choice_is_one_of_a_table():
    check = choose_from(lambda: ["a", "b"])
    assert check("a") == "a"
    assert check(None) is None
    assert check(["a", "b"]) == ["a", "b"]
    with pytest.raises(typer.BadParameter, match="c is none of a, b"):
        check(["a", "c"])


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (("--format", "mp3"), "wav, flac, ogg"),
        (("--subtype", "PCM_8"), "PCM_16, PCM_24, PCM_32, FLOAT, DOUBLE, VORBIS"),
        (("--backend", "jax"), "auto, torch, onnx"),
        (("--precision", "int8"), "auto, fp32, bf16, fp16"),
        (("--provider", "tpu"), "cpu, cuda, tensorrt, coreml, dml"),
    ],
)
def test_wrong_usage_lists_what_may_be_chosen(arguments, known):
    result = msdm("separate", "song.wav", *arguments)
    result.assert_two_lines(arguments[0], f"{arguments[1]} is none of {known}", returncode=2)


def test_a_format_is_a_row_of_the_table(monkeypatch, tiny, write_song, tmp_path):
    monkeypatch.setitem(FORMATS, "aiff", SoundFormat("aiff", ".aiff", ("PCM_16",)))
    options = ("--model", "tiny", "--quality", "fast", "--device", "cpu", "--format", "aiff")
    result = msdm("separate", write_song(seconds=0.2), "-o", tmp_path, *options, "--json")
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["files"]["bass"] == str(tmp_path / "song" / "bass.aiff")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(value):
    with pytest.raises(typer.BadParameter, match="not a finite number"):
        check_finite(value)
    assert check_finite(0.5) == 0.5
    assert check_finite(None) is None


def test_a_seed_has_63_bits():
    assert check_seed(LARGEST_SEED) == LARGEST_SEED
    with pytest.raises(typer.BadParameter, match="larger than"):
        check_seed(LARGEST_SEED + 1)


def test_a_name_is_checked():
    assert check_name("{stem} of {track}.{ext}") == "{stem} of {track}.{ext}"
    with pytest.raises(typer.BadParameter, match="stem"):
        check_name("{track}.{ext}")


def test_a_provider_is_a_device_of_onnx_runtime():
    assert choose_runtime("cpu", "auto", None, "fp32") == Runtime("auto", "cpu", "fp32")
    assert choose_runtime("auto", "onnx", "dml", "auto") == Runtime("onnx", "dml", "auto")
    for device, backend in (("cpu", "auto"), ("auto", "torch")):
        with pytest.raises(typer.BadParameter, match="leave out --backend and --device"):
            choose_runtime(device, backend, "cpu", "auto")
