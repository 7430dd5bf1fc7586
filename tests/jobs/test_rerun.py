import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import STEMS, generate, impute, read_sound, request_separation, separate

from msdm_cli.audio.source import ArraySource
from msdm_cli.digest import digest_file
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
    monkeypatch.setattr(module, "describe_model", lambda name, runtime: tiny_model)
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
    made = run_again(first.manifest, tmp_path / "again")
    assert (made.changed, made.differences) == ({}, [])
    again = made.result
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
    # What was there is not what the manifest describes: there is nothing to compare.
    assert run_again(first.manifest, tmp_path / "again").changed == {"bass": None}


def change_file(result, name, samples, rate=44100):
    """Put another sound in the place of a result, as if the job had made it."""
    soundfile.write(result.files[name], samples.T, rate, "PCM_16")
    described = json.loads(result.manifest.read_text())
    record = described["files"][name]
    record["sha256"] = digest_file(result.files[name])
    record["size_bytes"] = result.files[name].stat().st_size
    result.manifest.write_text(json.dumps(described))


def test_the_largest_difference_is_measured(first, tmp_path):
    samples = read_sound(first.files["bass"])
    samples[1, 5000] += 3 / 2**15
    samples[0, 70] -= 1 / 2**15
    change_file(first, "bass", samples)
    changed = run_again(first.manifest, tmp_path / "again").changed
    assert changed == {"bass": pytest.approx(20 * math.log10(3 / 2**15))}


def test_files_that_differ_in_no_sample_are_told_from_others(first, tmp_path):
    path = first.files["bass"]
    path.write_bytes(path.read_bytes() + b"tail")
    described = json.loads(first.manifest.read_text())
    described["files"]["bass"]["sha256"] = digest_file(path)
    first.manifest.write_text(json.dumps(described))
    assert run_again(first.manifest, tmp_path / "again").changed == {"bass": -math.inf}


def test_files_of_another_length_are_not_compared(first, tmp_path):
    change_file(first, "bass", read_sound(first.files["bass"])[:, :-1])
    assert run_again(first.manifest, tmp_path / "again").changed == {"bass": None}


def test_files_that_are_gone_are_not_compared(first, tmp_path):
    change_file(first, "bass", -read_sound(first.files["bass"]))
    first.files["bass"].unlink()
    assert run_again(first.manifest, tmp_path / "again").changed == {"bass": None}


def test_what_differs_between_the_machines_is_said(first, tmp_path):
    described = json.loads(first.manifest.read_text())
    described["identity"]["runtime"]["threads"] = 7
    described["identity"]["versions"]["processor"] = "abacus"
    first.manifest.write_text(json.dumps(described))
    found = run_again(first.manifest, tmp_path / "again").differences
    assert found[0] == "threads: 7 before, 0 now"
    assert found[1].startswith("processor: abacus before, ")
    assert len(found) == 2


def test_the_threads_are_those_of_before_or_others(first, tmp_path, loaded):
    described = json.loads(first.manifest.read_text())
    described["identity"]["runtime"]["threads"] = 7
    first.manifest.write_text(json.dumps(described))
    run_again(first.manifest, tmp_path / "again")
    run_again(first.manifest, tmp_path / "third", threads=3)
    assert [runtime.threads for _, runtime in loaded] == [7, 3]


def test_results_that_are_there_prove_nothing(first, tmp_path):
    with pytest.raises(ResultsExist, match="is there already"):
        run_again(first.manifest, tmp_path / "first")


def test_an_input_may_be_elsewhere_now(first, tmp_path):
    moved = (tmp_path / "song.wav").rename(tmp_path / "moved.wav")
    made = run_again(first.manifest, tmp_path / "again", inputs=[moved])
    assert made.changed == {}
    assert load_manifest(made.result.manifest).parse_request().inputs == {"song": moved}


def test_another_device_may_be_chosen(first, tmp_path, loaded):
    run_again(first.manifest, tmp_path / "again", device="cuda:1")
    ((_, runtime),) = loaded
    assert (runtime.backend, runtime.device, runtime.precision) == ("torch", "cuda:1", "fp32")


def test_other_weights_are_refused(first, tiny_model, tmp_path, monkeypatch):
    other = dataclasses.replace(tiny_model, weights_sha256="other")
    monkeypatch.setattr(module, "describe_model", lambda name, runtime: other)
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


def test_a_song_at_an_address_is_given_as_a_file(first, tmp_path):
    described = json.loads(first.manifest.read_text())
    song = described["request"]["inputs"]["song"]
    described["request"]["inputs"]["song"] = "s3://bucket/song.wav"
    first.manifest.write_text(json.dumps(described))
    with pytest.raises(UnsuitableAudio, match=r"s3://bucket/song\.wav: is not on this machine"):
        run_again(first.manifest, tmp_path / "again")
    made = run_again(first.manifest, tmp_path / "again", inputs=[Path(song)])
    assert made.changed == {}


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


def test_stems_that_were_absent_are_absent_again(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.6)
    first = separate(tiny_model, song, tmp_path / "first", absent=("piano",))
    made = run_again(first.manifest, tmp_path / "again")
    assert made.changed == {}
    assert list(made.result.files) == ["bass", "drums", "guitar"]
    assert load_manifest(made.result.manifest).parse_request().options.absent == ("piano",)


@pytest.mark.parametrize(
    ("absent", "words"), [(["kazoo"], "kazoo is no stem"), (list(STEMS), "all stems")]
)
def test_a_manifest_of_absent_stems_that_make_no_sense(
    tiny_model, write_song, tmp_path, absent, words
):
    first = separate(tiny_model, write_song(seconds=0.3), tmp_path / "first", absent=("piano",))
    described = json.loads(first.manifest.read_text())
    described["request"]["options"]["absent"] = absent
    first.manifest.write_text(json.dumps(described))
    with pytest.raises(UnreadableManifest, match=words):
        run_again(first.manifest, tmp_path / "again")
