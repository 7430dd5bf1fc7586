import dataclasses
import json
from pathlib import Path

import pytest
from conftest import list_files, request_separation, separate, spy_on

from msdm_cli.errors import (
    JobRunning,
    ResultsExist,
    UnreadableAudio,
    UnwritableAddress,
)
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.remote.stage import STAGES, run_staged, stage
from msdm_cli.jobs.remote.storage import Folder
from msdm_cli.jobs.run import run_job

OUT = Path("memory://out")
STEMS = ["bass.wav", "drums.wav", "guitar.wav", "piano.wav"]

pytestmark = pytest.mark.usefixtures("tiny")


def list_stage(cache):
    return list_files(cache / STAGES) if (cache / STAGES).exists() else []


def stop_at_third(number):
    if number == 3:
        raise KeyboardInterrupt


def test_a_job_of_this_machine_is_what_it_was(model, song, tmp_path):
    request = request_separation(model, song, tmp_path)
    with stage(request) as local:
        assert local is request


def test_results_elsewhere_are_those_of_a_job_here(
    memory, request_there, run, tiny, model, song, tmp_path
):
    result = run_staged(request_there, run)
    expected = separate(model, song, tmp_path / "here")
    assert result.files == {name: OUT / "song" / f"{name}.wav" for name in expected.files}
    assert result.beside == (OUT / "song" / "index.html",)
    names = [name.rpartition("/")[2] for name in memory.find("/out/song")]
    assert sorted(names) == sorted([*STEMS, "index.html", "msdm.json"])
    for name, path in expected.files.items():
        assert memory.cat_file(f"/out/song/{name}.wav") == path.read_bytes()
    described = json.loads(memory.cat_file("/out/song/msdm.json"))
    assert described["request"]["inputs"] == {"song": "memory://in/song.wav"}
    assert described["request"]["folder"] == "memory://out"
    assert list_stage(tiny) == []


def test_results_that_are_there_are_not_made_again(request_there, run, tiny):
    run_staged(request_there, run)
    again = run_staged(request_there, lambda local: pytest.fail("it runs again"))
    assert again.skipped
    assert again.files["bass"] == OUT / "song" / "bass.wav"
    assert list_stage(tiny) == []


def test_a_song_that_has_changed_is_not_the_same(memory, request_there, run, write_song):
    run_staged(request_there, run)
    memory.pipe_file("/in/song.wav", write_song("b.wav", 1.0, seed=7).read_bytes())
    with pytest.raises(ResultsExist, match=r"memory://out/song/bass\.wav: is there already"):
        run_staged(request_there, run)
    result = run_staged(dataclasses.replace(request_there, overwrite=True), run)
    assert not result.skipped


def test_a_job_that_was_stopped_continues_on_this_machine(memory, request_there, tiny, model):
    stopped, _ = spy_on(model, stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        run_staged(request_there, lambda local: run_job(local, stopped))
    assert memory.find("/out") == []
    assert [Path(name).suffix for name in list_stage(tiny)].count(".chunk") > 0
    watched, spy = spy_on(model)
    result = run_staged(request_there, lambda local: run_job(local, watched))
    assert spy.calls == result.calls
    alone, all_of_them = spy_on(model)
    run_staged(dataclasses.replace(request_there, overwrite=True), lambda one: run_job(one, alone))
    assert 0 < spy.calls < all_of_them.calls


def test_without_rights_nothing_is_computed(request_there, tiny, memory, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(type(memory), "pipe_file", refuse)
    request = dataclasses.replace(request_there, folder=Path("memory://full"))
    with pytest.raises(UnwritableAddress, match=r"memory://full/song/.*cannot be written"):
        run_staged(request, lambda local: pytest.fail("it runs"))
    assert list_stage(tiny) == []


def test_what_only_looks_at_a_job_leaves_what_was_drawn(request_there, tiny, model):
    stopped, _ = spy_on(model, stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        run_staged(request_there, lambda local: run_job(local, stopped))
    before = list_stage(tiny)
    with stage(request_there) as local:
        assert local.inputs["song"].is_file()
    assert list_stage(tiny) == before


def test_what_another_job_has_left_here_is_not_in_the_way(
    request_there, run, tiny, monkeypatch, memory
):
    upload = Folder.upload
    monkeypatch.setattr(Folder, "upload", lambda *given: pytest.fail("the connection is lost"))
    with pytest.raises(pytest.fail.Exception, match="the connection is lost"):
        run_staged(request_there, run)
    assert any(name.endswith("bass.wav") for name in list_stage(tiny))
    monkeypatch.setattr(Folder, "upload", upload)
    other = dataclasses.replace(request_there.options, overlap=0.5)
    result = run_staged(dataclasses.replace(request_there, options=other), run)
    assert not result.skipped
    described = json.loads(memory.cat_file("/out/song/msdm.json"))
    assert described["request"]["options"]["overlap"] == 0.5
    assert not described["request"]["overwrite"]


def test_a_song_elsewhere_may_have_results_here(request_there, run, tiny, tmp_path):
    request = dataclasses.replace(request_there, folder=tmp_path / "out")
    result = run_staged(request, run)
    assert sorted(path.name for path in result.files.values()) == STEMS
    assert all(path.is_file() for path in result.files.values())
    described = load_manifest(result.manifest).request
    assert described["inputs"] == {"song": "memory://in/song.wav"}
    assert described["folder"] == str(tmp_path / "out")
    assert list_stage(tiny) == []


def test_a_song_that_cannot_be_fetched_fails(request_there, run, tiny):
    request = dataclasses.replace(request_there, inputs={"song": Path("memory://in/no.wav")})
    with pytest.raises(UnreadableAudio, match=r"memory://in/no\.wav: cannot be read"):
        run_staged(request, run)
    assert list_stage(tiny) == []


def test_an_error_names_the_address_of_a_song(memory, request_there, run):
    memory.pipe_file("/in/song.wav", b"text")
    with pytest.raises(UnreadableAudio, match=r"^memory://in/song\.wav: is no") as found:
        run_staged(request_there, run)
    assert str(found.value) == found.value.message


def test_one_process_does_a_job(request_there, run):
    with (
        stage(request_there),
        pytest.raises(JobRunning, match="memory://out/song: another msdm writes the same results"),
    ):
        run_staged(request_there, run)
