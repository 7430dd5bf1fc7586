"""Options that say what new music shall be like."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from conftest import generate as make_take
from conftest import music, request_generation
from run_msdm import msdm
from soundfile import write

from msdm_cli.cli.music_options import (
    choose_controls,
    fill_controls,
    inherit,
    name_take,
    open_take,
    recall_controls,
)
from msdm_cli.tasks.controls import Controls

pytestmark = pytest.mark.usefixtures("tiny")

RUNTIME = ("--model", "tiny-cascade", "--device", "cpu", "--precision", "fp32")


def test_what_is_asked_for_becomes_controls(tiny_cascade):
    spec = tiny_cascade.spec
    assert choose_controls(spec, "generate") == Controls()
    assert choose_controls(
        spec, "generate", tempo=96.0, key="f#m", style="waltz", play=["drums", "bass"]
    ) == Controls(96.0, "3/4", key="Gb minor", style="waltz", playing=(True, True, False, False))


@pytest.mark.parametrize(
    ("asked", "option", "words"),
    [
        ({"key": "H"}, "--key", "expected a key like C major or F#m, got H"),
        ({"play": ["kazoo"]}, "--play", "it has bass, drums, guitar, piano"),
    ],
)
def test_what_means_nothing_is_wrong_usage(tiny_cascade, asked, option, words):
    with pytest.raises(typer.BadParameter, match=words) as caught:
        choose_controls(tiny_cascade.spec, "generate", **asked)
    assert caught.value.param_hint == option


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ({"tempo": 100.0}, "--tempo"),
        ({"key": "C"}, "--key"),
        ({"style": "rock", "play": ["bass"]}, "--style"),
        ({"play": ["bass"]}, "--play"),
    ],
)
def test_a_model_without_a_sketch_cannot_be_asked(tiny_model, asked, option):
    with pytest.raises(typer.BadParameter, match="the model tiny draws no sketch") as caught:
        choose_controls(tiny_model.spec, "generate", **asked)
    assert caught.value.param_hint == option
    assert choose_controls(tiny_model.spec, "generate") == Controls()


def test_a_take_is_called_by_what_its_music_is_like(tiny_cascade, tiny_model):
    controls = Controls(tempo=96.0, key="A minor", style="funk")
    request = request_generation(tiny_cascade, Path("out"), 1.0, seed=4, controls=controls)
    assert name_take(request) == "seed 4, funk, 96 bpm, A minor"
    plain = request_generation(tiny_model, Path("out"), 1.0, seed=4)
    assert name_take(fill_controls(plain, 4)) == "seed 4"


def test_what_is_not_asked_for_is_that_of_the_seed(tiny_cascade):
    request = request_generation(
        tiny_cascade, Path("out"), 1.0, seed=4, controls=Controls(key="A minor")
    )
    filled = fill_controls(request, 4)
    assert filled.options.controls == Controls(key="A minor").filled(4, 4)
    assert fill_controls(filled, 4) == filled
    assert filled.with_seed(5).options.controls == filled.options.controls


def test_bars_have_the_tempo_of_the_take(tiny_cascade):
    request = request_generation(
        tiny_cascade, Path("out"), 1.0, seed=4, controls=Controls(style="waltz")
    )
    filled = fill_controls(request, 4, bars=4).options
    assert filled.seconds == pytest.approx(4 * 3 * 60 / filled.controls.tempo)
    assert fill_controls(request, 4).options.seconds == 1.0


def test_what_is_continued_is_not_filled_by_a_seed(tiny_cascade):
    request = request_generation(
        tiny_cascade, Path("out"), 1.0, inputs={"bass": Path("bass.wav")}, controls=Controls()
    )
    assert fill_controls(request, 4) == request


TOLD = Controls(
    tempo=90.0, meter="3/4", first_beat=0.03, key="A minor", style="waltz", playing=(True,) * 4
)


def test_music_goes_on_as_it_was_told():
    assert inherit(Controls(), TOLD) == TOLD
    assert inherit(Controls(tempo=90.0, key="C major"), TOLD) == replace(TOLD, key="C major")
    # A style has its meter.
    assert inherit(Controls(style="rock"), TOLD) == replace(TOLD, style="rock", meter="4/4")
    # The beats of another tempo lie elsewhere.
    faster = inherit(Controls(tempo=120.0, style="rock"), TOLD)
    assert (faster.tempo, faster.meter, faster.first_beat) == (120.0, "4/4", None)
    assert (faster.style, faster.key, faster.playing) == ("rock", "A minor", TOLD.playing)


def test_a_take_says_what_it_was_told(tiny_cascade, tmp_path):
    made = make_take(tiny_cascade, tmp_path, 0.1, seed=3, controls=TOLD)
    for place in (made.manifest, made.manifest.parent):
        stems, told = open_take(place, tiny_cascade.spec)
        assert told == TOLD
        assert stems == {name: made.files[name] for name in tiny_cascade.spec.stems}
    fewer = replace(tiny_cascade.spec, stems=("bass", "drums"))
    stems, told = open_take(made.manifest, fewer)
    assert list(stems) == ["bass", "drums"]
    assert told == replace(TOLD, playing=())


def test_beats_of_a_tempo_that_was_asked_for_are_those_that_were_heard(tiny_cascade, tmp_path):
    spec = tiny_cascade.spec
    stems = {"drums": tmp_path / "drums.wav"}
    write(stems["drums"], music(22050).T, 22050)
    faster = Controls(tempo=140.0, key="A minor")
    made = make_take(tiny_cascade, tmp_path, 0.5, seed=3, inputs=stems, controls=faster)
    assert made.heard.first_beat is not None
    told = replace(faster, first_beat=made.heard.first_beat)
    assert open_take(made.manifest, spec)[1] == told
    assert recall_controls({"bass": made.files["bass"]}, spec) == told
    # What follows goes on with them, and does not hear them again in music of two tempos.
    assert inherit(Controls(), told) == told


def test_stems_of_a_take_recall_what_it_was_asked_for(tiny_cascade, tmp_path):
    spec = tiny_cascade.spec
    made = make_take(tiny_cascade, tmp_path, 0.1, seed=3, controls=TOLD)
    given = {name: made.files[name] for name in ("bass", "drums")}
    assert recall_controls(given, spec) == replace(TOLD, playing=())
    # Files of elsewhere, or beside a take, are not of it.
    stranger = made.manifest.parent / "drums2.wav"
    stranger.write_bytes(made.files["drums"].read_bytes())
    assert recall_controls({"drums": stranger}, spec) == Controls()
    elsewhere = tmp_path / "elsewhere" / "bass.wav"
    elsewhere.parent.mkdir()
    assert recall_controls({**given, "bass": elsewhere}, spec) == Controls()
    made.manifest.write_text("{")
    assert recall_controls(given, spec) == Controls()


def test_an_imputation_beside_stems_of_a_take_is_in_its_key(tmp_path):
    (take,) = generate(tmp_path, "--key", "Am", "--tempo", 90, "--seed", 1)
    command = ("impute", "--given", take["files"]["drums"], "--target", "bass", *RUNTIME)
    result = msdm(*command, "-o", tmp_path / "imputed", "--tempo", 100)
    assert result.returncode == 0, result.stderr
    assert "heard" not in result.stderr
    manifest = json.loads((tmp_path / "imputed" / "msdm.json").read_text())
    controls = manifest["request"]["options"]["controls"]
    assert (controls["tempo"], controls["key"]) == (100, "A minor")


def generate(folder, *arguments):
    command = ("generate", "--seconds", 0.2, "-o", folder, *RUNTIME, "--json", *arguments)
    result = msdm(*command)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_takes_have_the_music_that_was_asked_for(tmp_path):
    asked = ("--key", "Am", "--style", "funk", "--play", "bass,drums", "--seed", 1)
    takes = generate(tmp_path, *asked, "--variations", 2)
    tempos = [Controls(style="funk").filled(seed, 4).tempo for seed in (1, 2)]
    assert [take["variation"] for take in takes] == [
        f"seed {seed}, funk, {tempo} bpm, A minor"
        for seed, tempo in zip((1, 2), tempos, strict=True)
    ]
    manifest = json.loads((tmp_path / "seed-2" / "msdm.json").read_text())
    controls = manifest["request"]["options"]["controls"]
    assert controls["playing"] == [True, True, False, False]
    assert (controls["key"], controls["tempo"]) == ("A minor", tempos[1])
    one, two = (Path(take["files"]["bass"]).read_bytes() for take in takes)
    assert one != two


def test_a_rerun_gives_the_same_bytes(tmp_path):
    (take,) = generate(tmp_path / "first", "--seed", 3, "--tempo", 90)
    manifest = tmp_path / "first" / "seed-3" / "msdm.json"
    result = msdm("rerun", manifest, "-o", tmp_path / "again")
    assert result.returncode == 0, result.stderr
    again = list((tmp_path / "again").rglob("piano.wav"))
    assert len(again) == 1
    assert again[0].read_bytes() == Path(take["files"]["piano"]).read_bytes()


@pytest.mark.parametrize(
    ("option", "value"), [("--tempo", 20), ("--tempo", 500), ("--style", "polka"), ("--key", "H")]
)
def test_wrong_values_are_refused(tmp_path, option, value):
    result = msdm("generate", "--seconds", 0.2, "-o", tmp_path, *RUNTIME, option, value)
    result.assert_two_lines(option, returncode=2)
    assert not list(tmp_path.iterdir())


def test_stems_are_imputed_in_a_key(tmp_path):
    write(tmp_path / "drums.wav", music(6000).T, 22050)
    command = ("impute", "--given", tmp_path / "drums.wav", "--target", "bass", *RUNTIME)
    usual, asked = (
        msdm(*command, "-o", tmp_path / name, "--seed", 1, *more)
        for name, more in (("a", ()), ("b", ("--key", "C", "--style", "rock")))
    )
    assert (usual.returncode, asked.returncode) == (0, 0), asked.stderr
    one, two = ((tmp_path / name / "bass.wav").read_bytes() for name in ("a", "b"))
    assert one != two
