import dataclasses
import json

import numpy as np
import pytest
from conftest import generate, impute, request_separation, separate

from msdm_cli.audio.source import ArraySource
from msdm_cli.errors import (
    MismatchedWeights,
    ResultsExist,
    UnreadableAudio,
    UnreadableManifest,
    UnsuitableAudio,
    UnwritableResults,
)
from msdm_cli.jobs import rerun as module
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.rerun import rerun
from msdm_cli.jobs.run import run_job
from msdm_cli.progress import SilentProgress


@pytest.fixture(autouse=True)
def loaded(tiny_model, monkeypatch):
    """The names and runtimes that a rerun has loaded."""
    found = []

    def load(name, runtime):
        found.append((name, runtime))
        return tiny_model

    monkeypatch.setattr(module, "load", load)
    return found


def run_again(manifest, folder, **fields):
    return rerun(manifest, folder, SilentProgress(), **fields)


def run_task(model, song, folder, task):
    if task == "separate":
        fields = {"quality": "default", "stems": ("bass", "drums"), "duration_seconds": 0.3}
        return separate(model, song, folder, **fields)
    if task == "impute":
        return impute(model, {"drums": song}, folder)
    return generate(model, folder, 0.5)


@pytest.fixture
def first(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.6)
    return run_task(tiny_model, song, tmp_path / "first", "separate")


@pytest.mark.parametrize("task", ["separate", "impute", "generate"])
def test_results_are_made_again(tiny_model, write_song, tmp_path, task, loaded):
    first = run_task(tiny_model, write_song(seconds=0.6), tmp_path / "first", task)
    again, changed = run_again(first.manifest, tmp_path / "again")
    assert changed == []
    assert not again.skipped
    assert again.files.keys() == first.files.keys()
    for name, path in first.files.items():
        assert again.files[name].read_bytes() == path.read_bytes()
        assert again.files[name] != path
    assert loaded == [("tiny", tiny_model.runtime)]


def test_files_that_are_not_the_same_are_named(first, tmp_path):
    described = json.loads(first.manifest.read_text())
    described["files"]["bass"]["sha256"] = "0"
    first.manifest.write_text(json.dumps(described))
    assert run_again(first.manifest, tmp_path / "again")[1] == ["bass"]


def test_results_that_are_there_prove_nothing(first, tmp_path):
    with pytest.raises(ResultsExist, match="is there already"):
        run_again(first.manifest, tmp_path / "first")


def test_an_input_may_be_elsewhere_now(first, tmp_path):
    moved = (tmp_path / "song.wav").rename(tmp_path / "moved.wav")
    result, changed = run_again(first.manifest, tmp_path / "again", inputs=[moved])
    assert changed == []
    assert load_manifest(result.manifest).parse_request().inputs == {"song": moved}


def test_another_device_may_be_chosen(first, tmp_path, loaded):
    run_again(first.manifest, tmp_path / "again", device="cuda:1")
    ((_, runtime),) = loaded
    assert (runtime.backend, runtime.device, runtime.precision) == ("torch", "cuda:1", "fp32")


def test_other_weights_are_refused(first, tiny_model, tmp_path, monkeypatch):
    other = dataclasses.replace(tiny_model, weights_sha256="other")
    monkeypatch.setattr(module, "load", lambda name, runtime: other)
    with pytest.raises(MismatchedWeights, match="other weights"):
        run_again(first.manifest, tmp_path / "again")


def test_another_song_is_refused(first, write_song, tmp_path):
    write_song(seconds=0.6, seed=9)
    with pytest.raises(UnsuitableAudio, match="is not what it was") as caught:
        run_again(first.manifest, tmp_path / "again")
    assert caught.value.remedy == "Name the file that it was, if it is elsewhere now."


def test_a_song_that_is_gone_is_an_error(first, tmp_path):
    (tmp_path / "song.wav").unlink()
    with pytest.raises(UnreadableAudio, match="no such file"):
        run_again(first.manifest, tmp_path / "again")


def test_a_song_that_was_in_memory_is_an_error(tiny_model, write_song, tmp_path):
    request = request_separation(tiny_model, write_song(), tmp_path / "first")
    request = dataclasses.replace(request, inputs={})
    sources = {"song": ArraySource(np.ones(1000) / 2, 22050)}
    first = run_job(request, tiny_model, sources=sources)
    with pytest.raises(UnsuitableAudio, match="was in memory"):
        run_again(first.manifest, tmp_path / "again")


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (("options", "preset"), {"kazoo": 1}),
        (("options",), {"stems": ["../kazoo"]}),
        (("options",), {"stems": ["kazoo"]}),
        ((), {"output": {"file_format": "wav/../../x", "name": "{stem}.{ext}"}}),
        ((), {"output": {"name": "../{stem}.{ext}"}}),
        ((), {"task": "kazoo"}),
    ],
)
def test_a_manifest_that_cannot_be_run_or_leads_out_is_refused(first, tmp_path, place, change):
    described = json.loads(first.manifest.read_text())
    fields = described["request"]
    for key in place:
        fields = fields[key]
    fields |= change
    first.manifest.write_text(json.dumps(described))
    with pytest.raises(UnreadableManifest):
        run_again(first.manifest, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("runtime", [None, {"backend": "abacus"}, {"kazoo": 1}])
def test_a_runtime_that_is_none_is_refused(first, tmp_path, runtime):
    described = json.loads(first.manifest.read_text())
    described["identity"]["runtime"] = runtime
    first.manifest.write_text(json.dumps(described))
    with pytest.raises(UnreadableManifest):
        run_again(first.manifest, tmp_path / "again")


def test_a_track_that_leads_out_is_refused(first, tmp_path):
    described = json.loads(first.manifest.read_text())
    described["request"]["track"] = "../../out"
    first.manifest.write_text(json.dumps(described))
    with pytest.raises(UnwritableResults, match="is not inside"):
        run_again(first.manifest, tmp_path / "again")
    assert not (tmp_path.parent / "out").exists()
