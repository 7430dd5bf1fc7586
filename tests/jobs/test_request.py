import dataclasses
import json
import pickle
from pathlib import Path

import pytest
from conftest import (
    make_request,
    request_generation,
    request_imputation,
    request_separation,
)

from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import UnreadableAudio, UnwritableResults
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.request import JobRequest
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.table import TASKS

SONG = Path("album/song.wav")
FOLDER = Path("stems")


@pytest.fixture
def requests(tiny_model):
    """A request of each task; all of its fields differ from their defaults."""
    output = OutputOptions("flac", "PCM_24", "{stem} of {track}.{ext}")
    common = {
        "output": output,
        "overwrite": True,
        "start_seconds": 1.5,
        "duration_seconds": 0.25,
    }
    separation = request_separation(
        tiny_model,
        SONG,
        FOLDER,
        stems=("bass", "drums"),
        overlap=0.5,
        residual=True,
        absent=("piano",),
        **common,
    )
    imputation = request_imputation(
        tiny_model, {"drums": SONG}, FOLDER, targets=("piano", "bass"), track="a", **common
    )
    generation = request_generation(tiny_model, FOLDER, 2.5, **common)
    return {request.task: request for request in (separation, imputation, generation)}


@pytest.mark.parametrize("task", TASKS)
def test_a_request_comes_back_from_json(requests, task):
    request = dataclasses.replace(requests[task], runtime=Runtime("onnx", "cpu", "fp32"))
    assert JobRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


@pytest.fixture(params=["impute", "generate"])
def music_request(request, tiny_cascade):
    """A request of a model that draws a sketch first, with controls."""
    controls = Controls(97.5, "6/8", 0.03, "Eb dorian", "sixeight", (True, None, False, None))
    fields = {"seconds": 2.0} if request.param == "generate" else {"targets": ("piano",)}
    return make_request(
        tiny_cascade, request.param, {}, FOLDER, seed=3, controls=controls, **fields
    )


def test_sketches_and_controls_come_back_from_json(music_request):
    described = music_request.to_json()
    assert described["options"]["sketch"]["sampler"] == "consistent"
    assert described["options"]["sketch"] != described["options"]["preset"]
    assert described["options"]["controls"]["playing"] == [True, None, False, None]
    again = JobRequest.from_json(json.loads(json.dumps(described)))
    assert again == music_request
    assert again.options.controls == music_request.options.controls
    assert pickle.loads(pickle.dumps(music_request)) == music_request


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sketch",), 3),
        (("sketch", "sampler"), "kazoo"),
        (("sketch", "kazoo"), 1),
        (("controls",), None),
        (("controls",), {"tempo": 5}),
        (("controls", "tempo"), "fast"),
        (("controls", "key"), "H major"),
        (("controls", "style"), "polka"),
        (("controls", "meter"), "5/4"),
        (("controls", "playing"), [1]),
    ],
)
def test_sketches_and_controls_that_mean_nothing_are_refused(music_request, path, value):
    fields = change(music_request.to_json(), ("options", *path), value)
    with pytest.raises(ValueError, match="expected"):
        JobRequest.from_json(fields)


def test_a_request_from_before_sketches_is_one_without(music_request):
    fields = music_request.to_json()
    del fields["options"]["sketch"], fields["options"]["controls"]
    options = JobRequest.from_json(fields).options
    assert (options.sketch, options.controls) == (None, Controls())


def test_a_request_from_before_absent_stems_has_none(tiny_model, requests):
    described = requests["separate"].to_json()
    assert described["options"].pop("absent") == ["piano"]
    assert JobRequest.from_json(described).options.absent == ()


@pytest.mark.parametrize("task", TASKS)
def test_a_request_of_defaults_comes_back_from_json(tiny_model, task):
    fields = {"seconds": 1.0, "seed": None} if task == "generate" else {}
    request = make_request(tiny_model, task, {}, FOLDER, **fields)
    assert JobRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def change(fields, path, value):
    """JSON with another value at a path of keys."""
    copied = json.loads(json.dumps(fields))
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("task",), "transcribe"),
        (("task",), None),
        (("model",), 3),
        (("runtime",), {"backend": "abacus"}),
        (("options",), None),
        (("options",), {"seed": 1}),
        (("options", "kazoo"), 1),
        (("options", "seed"), "one"),
        (("options", "stems"), "bass"),
        (("options", "absent"), "piano"),
        (("options", "absent"), ["bass"]),
        (("options", "preset"), None),
        (("options", "preset", "sampler"), "kazoo"),
        (("options", "preset", "kazoo"), 1),
        (("options", "preset", "estimates"), 0),
        (("inputs",), {"song": 3}),
        (("inputs",), None),
        (("folder",), None),
        (("output",), {"file_format": "kazoo"}),
        (("output", "name"), "../{stem}.{ext}"),
        (("output", "subtype"), "PCM_12"),
        (("overwrite",), 1),
        (("start_seconds",), None),
        (("duration_seconds",), "1"),
    ],
)
def test_what_is_no_request_is_refused(requests, path, value):
    with pytest.raises(ValueError, match="expected"):
        JobRequest.from_json(change(requests["separate"].to_json(), path, value))


@pytest.mark.parametrize("missing", ["task", "model", "options", "inputs", "folder", "output"])
def test_a_missing_field_is_refused(requests, missing):
    fields = requests["separate"].to_json()
    del fields[missing]
    with pytest.raises(ValueError, match="expected the fields of a job"):
        JobRequest.from_json(fields)


def test_a_task_has_its_own_options(tiny_model):
    options = GenerateOptions(tiny_model.spec.preset("generate", "default"), 1, 2.0)
    with pytest.raises(TypeError, match="expected SeparateOptions, got GenerateOptions"):
        JobRequest("separate", "tiny", Runtime(), options, {}, FOLDER)
    with pytest.raises(ValueError, match="expected a task of separate, impute, generate"):
        JobRequest("transcribe", "tiny", Runtime(), options, {}, FOLDER)


def test_manifest_and_journal_lie_beside_the_results(tiny_model):
    request = request_separation(tiny_model, SONG, FOLDER)
    assert request.row is TASKS["separate"]
    assert request.manifest == FOLDER / "song" / "msdm.json"
    assert request.journal == FOLDER / "song" / ".msdm.part"
    named = OutputOptions(name="{stem} of {track}.{ext}")
    request = request_separation(tiny_model, SONG, FOLDER, output=named)
    assert request.manifest == FOLDER / "msdm of song.json"
    assert request.journal == FOLDER / ".msdm of song.part"


def test_a_name_that_leads_out_has_no_manifest(tiny_model):
    request = request_separation(tiny_model, SONG, FOLDER, track="..")
    with pytest.raises(UnwritableResults, match="is not inside"):
        _ = request.manifest


def test_another_seed_is_all_that_changes(requests):
    request = requests["impute"]
    other = request.with_seed(9)
    assert other.options.seed == 9
    assert other.with_seed(request.options.seed) == request


def test_inputs_are_opened_from_the_place_that_was_asked_for(tiny_model, write_song):
    song = write_song(seconds=2, rate=8000)
    request = request_separation(tiny_model, song, FOLDER, start_seconds=0.5, duration_seconds=0.25)
    ((role, source),) = request.open_inputs().items()
    assert role == "song"
    assert source.properties.frames == 2000
    song.unlink()
    with pytest.raises(UnreadableAudio, match="no such file"):
        request.open_inputs()
