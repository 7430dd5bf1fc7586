import dataclasses
import json

import pytest

from msdm_cli.errors import (
    IncompatibleCheckpoint,
    UnreadableAudio,
    UnreadableManifest,
    UnsuitableAudio,
    UnwritableAudio,
)
from msdm_cli.jobs import rerun as module
from msdm_cli.jobs.rerun import rerun
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems
from msdm_cli.tasks.separate import SeparateOptions, separate_song


@pytest.fixture(autouse=True)
def known(tiny_model, monkeypatch):
    monkeypatch.setattr(module, "load_model", lambda name, device: tiny_model)


def work(model, song, folder, task):
    preset = model.spec.preset(task, "default")
    if task == "separate":
        options = SeparateOptions(preset, 3, stems=("bass", "drums"), duration_seconds=0.3)
        return separate_song(model, song, folder, options, SilentProgress())
    if task == "impute":
        return impute_stems(
            model, {"drums": song}, folder, ImputeOptions(preset, 3, ("piano",)), SilentProgress()
        )
    return generate_song(model, folder, GenerateOptions(preset, 3, 0.5), SilentProgress())


@pytest.mark.parametrize("task", ["separate", "impute", "generate"])
def test_results_are_made_again(tiny_model, write_song, tmp_path, task):
    song = write_song(seconds=0.6)
    first = work(tiny_model, song, tmp_path / "first", task)
    again, changed = rerun(first.manifest, tmp_path / "again", SilentProgress())
    assert changed == []
    assert again.files.keys() == first.files.keys()
    for name, path in first.files.items():
        assert again.files[name].read_bytes() == path.read_bytes()
        assert again.files[name] != path


def test_what_comes_out_otherwise_is_told(tiny_model, write_song, tmp_path):
    first = work(tiny_model, write_song(seconds=0.6), tmp_path / "first", "separate")
    told = json.loads(first.manifest.read_text())
    told["files"]["bass"]["sha256"] = "0"
    first.manifest.write_text(json.dumps(told))
    assert rerun(first.manifest, tmp_path / "again", SilentProgress())[1] == ["bass"]


def test_results_that_are_there_prove_nothing(tiny_model, write_song, tmp_path):
    first = work(tiny_model, write_song(seconds=0.6), tmp_path / "first", "separate")
    with pytest.raises(UnwritableAudio, match="is there already"):
        rerun(first.manifest, tmp_path / "first", SilentProgress())


def test_an_input_may_be_elsewhere_now(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.6)
    first = work(tiny_model, song, tmp_path / "first", "separate")
    moved = song.rename(tmp_path / "moved.wav")
    assert rerun(first.manifest, tmp_path / "again", SilentProgress(), inputs=[moved])[1] == []


def test_another_song_or_model_or_manifest_is_refused(
    tiny_model, write_song, tmp_path, monkeypatch
):
    song = write_song(seconds=0.6)
    first = work(tiny_model, song, tmp_path / "first", "separate")
    other = dataclasses.replace(tiny_model, weights_sha256="other")
    monkeypatch.setattr(module, "load_model", lambda name, device: other)
    with pytest.raises(IncompatibleCheckpoint, match="other weights"):
        rerun(first.manifest, tmp_path / "again", SilentProgress())
    write_song(seconds=0.6, seed=9)
    with pytest.raises(UnsuitableAudio, match="is not what it was"):
        rerun(first.manifest, tmp_path / "again", SilentProgress())
    song.unlink()
    with pytest.raises(UnreadableAudio, match="no such file") as gone:
        rerun(first.manifest, tmp_path / "again", SilentProgress())
    assert "--input" in gone.value.hint
    told = json.loads(first.manifest.read_text())
    told["job"]["options"]["preset"]["kazoo"] = 1
    first.manifest.write_text(json.dumps(told))
    with pytest.raises(UnreadableManifest, match="kazoo"):
        rerun(first.manifest, tmp_path / "again", SilentProgress())


@pytest.mark.parametrize(
    "change",
    [{"stems": ["../kazoo"]}, {"output": {"file_format": "wav/../../x", "name": "{stem}"}}],
)
def test_a_manifest_that_leads_out_is_refused(tiny_model, write_song, tmp_path, change):
    first = work(tiny_model, write_song(seconds=0.6), tmp_path / "first", "separate")
    told = json.loads(first.manifest.read_text())
    told["job"]["options"] |= change
    first.manifest.write_text(json.dumps(told))
    with pytest.raises(UnreadableManifest):
        rerun(first.manifest, tmp_path / "again", SilentProgress())
    assert not (tmp_path / "again").exists()
