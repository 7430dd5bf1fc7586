import dataclasses
import json
from contextlib import suppress

import numpy as np
import pytest
from conftest import request_separation, separate

from msdm_cli.audio.file_source import FileSource
from msdm_cli.backends.runtime import Runtime
from msdm_cli.jobs import done as module
from msdm_cli.jobs.done import find_done, find_result
from msdm_cli.jobs.journal import Journal
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.models.description import ModelDescription


@pytest.fixture
def made(tiny_model, write_song, tmp_path):
    """A song, and what was made of it."""
    song = write_song(seconds=0.2)
    return song, separate(tiny_model, song, tmp_path / "out", quality="default")


def ask(model, made, described=None, runtime=None, **fields):
    """What is found of a request; its model is not loaded."""
    song, result = made
    folder = result.manifest.parents[1]
    request = request_separation(model, song, folder, **{"quality": "default"} | fields)
    described = described or ModelDescription(
        model.spec, runtime or model.runtime, model.weights_sha256
    )
    return find_done(request, described, request.open_inputs())


def change(manifest, edit):
    described = json.loads(manifest.read_text())
    edit(described["identity"])
    manifest.write_text(json.dumps(described))


def test_the_same_job_is_done(tiny_model, made):
    assert ask(tiny_model, made) == load_manifest(made[1].manifest)


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 6},
        {"stems": ("bass",)},
        {"absent": ("piano",)},
        {"overwrite": True},
        {"start_seconds": 0.1},
    ],
)
def test_another_job_is_not(tiny_model, made, fields):
    assert ask(tiny_model, made, **fields) is None


def test_a_manifest_that_lacks_a_stem_is_of_another_job(tiny_model, made):
    manifest = made[1].manifest
    described = json.loads(manifest.read_text())
    del described["files"]["bass"]
    manifest.write_text(json.dumps(described))
    assert load_manifest(manifest).files
    assert ask(tiny_model, made) is None


def test_a_seed_that_is_left_open_is_any_seed(tiny_model, made):
    assert ask(tiny_model, made, seed=None).seed == 5
    assert ask(tiny_model, made, seed=None, overlap=0.5) is None


@pytest.mark.parametrize(
    ("runtime", "same"),
    [
        (Runtime("auto", "auto", "auto"), True),
        (Runtime("torch", "auto", "fp32", 7), True),
        (Runtime("auto", "cpu", "auto"), True),
        (Runtime("torch", "cuda", "auto"), False),
        (Runtime("auto", "auto", "bf16"), False),
        (Runtime("onnx", "auto", "auto"), False),
    ],
)
def test_what_is_left_open_is_what_it_was(tiny_model, made, runtime, same):
    assert (ask(tiny_model, made, runtime=runtime) is not None) == same


@pytest.mark.parametrize("value", ["fp12", 7, None])
def test_a_runtime_that_there_is_not_is_not_taken_over(tiny_model, made, value):
    change(made[1].manifest, lambda identity: identity["runtime"].update(precision=value))
    assert ask(tiny_model, made, runtime=Runtime()) is None


def test_the_machine_does_not_count_but_versions_do(tiny_model, made):
    def move(identity):
        identity["versions"]["processor"] = "abacus"
        identity["runtime"]["threads"] = 7

    change(made[1].manifest, move)
    assert ask(tiny_model, made)
    change(made[1].manifest, lambda identity: identity["versions"].update(torch="1.0"))
    assert ask(tiny_model, made) is None


def test_other_weights_make_other_results(tiny_model, made):
    other = ModelDescription(tiny_model.spec, tiny_model.runtime, "other")
    assert ask(tiny_model, made, other) is None


@pytest.mark.parametrize("loss", ["cut", "gone", "manifest"])
def test_what_is_not_whole_is_not_done(tiny_model, made, loss):
    path = made[1].files["piano"]
    if loss == "cut":
        path.write_bytes(b"")
    elif loss == "gone":
        path.unlink()
    else:
        made[1].manifest.write_text("{}")
    assert ask(tiny_model, made) is None


def test_an_input_is_read_if_all_else_fits_and_never_decoded(tiny_model, made, monkeypatch):
    digested = []
    digest = FileSource.digest
    monkeypatch.setattr(FileSource, "look", None)
    monkeypatch.setattr(FileSource, "digest", lambda source: digested.append(1) or digest(source))
    assert ask(tiny_model, made, seed=6) is None
    assert digested == []
    assert ask(tiny_model, made)
    assert digested == [1]


def test_another_song_of_the_same_name_is_not_done(tiny_model, made, write_song):
    write_song(seconds=0.2, seed=9)
    assert ask(tiny_model, made) is None


def test_a_journal_beside_complete_results_is_removed(tiny_model, made):
    song, result = made
    request = request_separation(tiny_model, song, result.manifest.parents[1], quality="default")
    journal = Journal(request.journal, load_manifest(result.manifest).identity)
    journal.on_disk = True
    with suppress(KeyboardInterrupt), journal:
        journal.begin()
        journal.save(0, np.zeros((1, 4, 10), np.float32))
        raise KeyboardInterrupt
    assert request.journal.exists()
    assert ask(tiny_model, made)
    assert not request.journal.exists()


def test_a_registered_model_is_not_loaded(tiny_model, made, monkeypatch):
    song, result = made
    request = request_separation(tiny_model, song, result.manifest.parents[1], quality="default")
    description = ModelDescription(tiny_model.spec, tiny_model.runtime, "")
    monkeypatch.setattr(module, "describe_model", lambda name, runtime: description)
    assert find_result(request) == dataclasses.replace(result, calls=0, skipped=True)
    assert find_result(request.with_seed(6)) is None
