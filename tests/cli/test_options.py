import json

import pytest
import typer
from run_msdm import msdm

from msdm_cli.audio.formats import FORMATS, SoundFormat
from msdm_cli.cli.app import app
from msdm_cli.cli.options import Quality, show_choices
from msdm_cli.models.spec import QUALITIES


def test_qualities_are_those_of_specs():
    assert tuple(Quality) == QUALITIES


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (("--format", "xyz"), "wav, flac, ogg, mp3, opus, aiff, caf"),
        (("--subtype", "PCM_8"), "PCM_16, PCM_24, PCM_32, FLOAT, DOUBLE, VORBIS, OPUS"),
        (("--backend", "jax"), "auto, torch, onnx"),
        (("--precision", "int8"), "auto, fp32, bf16, fp16"),
        (("--provider", "tpu"), "cpu, cuda, tensorrt, coreml, dml"),
    ],
)
def test_wrong_usage_lists_what_may_be_chosen(arguments, known):
    result = msdm("separate", "song.wav", *arguments)
    result.assert_two_lines(arguments[0], f"{arguments[1]} is none of {known}", returncode=2)


@pytest.mark.parametrize(
    ("option", "value", "most"),
    [
        ("--steps", 10**9, "1000"),
        ("--num-resamples", 10**9, "100"),
        ("--variations", 10**9, "1000"),
        ("--seconds", 10**9, "longer than 24 hours"),
    ],
)
def test_numbers_that_would_take_for_ever_say_how_large_they_may_be(option, value, most):
    msdm("generate", option, value).assert_two_lines(option, most, returncode=2)


def test_a_format_is_a_row_of_the_table(monkeypatch, tiny, write_song, tmp_path):
    monkeypatch.setitem(FORMATS, "au", SoundFormat("au", ".au", ("PCM_16",)))
    options = ("--model", "tiny", "--quality", "fast", "--device", "cpu", "--format", "au")
    result = msdm("separate", write_song(seconds=0.2), "-o", tmp_path, *options, "--json")
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["files"]["bass"] == str(tmp_path / "song" / "bass.au")


def test_choices_are_a_metavar():
    assert show_choices(["a", "b"]) == "[a|b]"


def test_a_length_has_one_name_for_all_commands():
    for name in ("separate", "generate"):
        parameters = typer.main.get_command(app).commands[name].params
        assert ["--duration", "--seconds"] in [parameter.opts for parameter in parameters]


def test_a_rate_that_the_format_lacks_is_wrong_usage():
    result = msdm("separate", "song.wav", "--format", "opus", "--rate", "44100")
    result.assert_two_lines("--rate", "48000", "got 44100", returncode=2)
