import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from conftest import list_files, request_separation, separate, spy_on

from msdm_cli.errors import (
    JobRunning,
    ResultsExist,
    UnreadableAudio,
    UnwritableAddress,
    UnwritableResults,
)
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.remote.stage import STAGES, run_staged, stage
from msdm_cli.jobs.remote.storage import Folder
from msdm_cli.jobs.run import run_job

OUT = Path("memory://out")
STEMS = ["bass.wav", "drums.wav", "guitar.wav", "piano.wav"]

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def song(write_song):
    return write_song(seconds=2.0, channels=1)


@pytest.fixture
def request_there(memory, model, song):
    """A job whose song and results lie in another storage."""
    memory.pipe_file("/in/song.wav", song.read_bytes())
    return request_separation(model, Path("memory://in/song.wav"), OUT)


@pytest.fixture
def run(model):
    """Runs a job, and makes a page."""

    def run(local):
        result = run_job(local, model)
        page = result.manifest.with_name("index.html")
        page.write_text("page")
        return dataclasses.replace(result, beside=(page,))

    return run


def list_stage(cache):
    return list_files(cache / STAGES) if (cache / STAGES).exists() else []


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
    def stop(number):
        if number == 3:
            raise KeyboardInterrupt

    stopped, _ = spy_on(model, stop)
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


def test_an_upload_that_was_interrupted_is_finished_anywhere(
    memory, request_there, run, tiny, monkeypatch
):
    moves = []
    move = Folder.move

    def fail(self, temporary, path):
        moves.append(path)
        if len(moves) == 3:
            raise UnwritableResults("the connection is lost", "remedy")
        move(self, temporary, path)

    monkeypatch.setattr(Folder, "move", fail)
    with pytest.raises(UnwritableResults, match="the connection is lost"):
        run_staged(request_there, run)
    assert not memory.exists("/out/song/msdm.json")
    kept = [name for name in list_stage(tiny) if name.endswith(".wav")]
    assert len(kept) == 4  # what was made stays, and only the upload is repeated
    monkeypatch.setattr(Folder, "move", move)
    shutil.rmtree(tiny / STAGES)  # another machine has none
    result = run_staged(request_there, run)
    assert not result.skipped
    names = [name.rpartition("/")[2] for name in memory.find("/out/song")]
    assert sorted(names) == sorted([*STEMS, "index.html", "msdm.json"])
    assert len(load_files(memory)) == 4


def load_files(memory):
    return json.loads(memory.cat_file("/out/song/msdm.json"))["files"]


def test_a_result_of_others_is_not_replaced_and_nothing_is_computed(memory, request_there):
    memory.pipe_file("/out/song/bass.wav", b"another")
    with pytest.raises(ResultsExist, match=r"memory://out/song/bass\.wav: is there already"):
        run_staged(request_there, lambda local: pytest.fail("it runs"))


def test_without_rights_nothing_is_computed(request_there, tiny, memory, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(type(memory), "pipe_file", refuse)
    request = dataclasses.replace(request_there, folder=Path("memory://full"))
    with pytest.raises(UnwritableAddress, match=r"memory://full/song/.*cannot be written"):
        run_staged(request, lambda local: pytest.fail("it runs"))
    assert list_stage(tiny) == []


def test_a_song_elsewhere_may_have_results_here(request_there, run, tiny, tmp_path):
    request = dataclasses.replace(request_there, folder=tmp_path / "out")
    result = run_staged(request, run)
    assert sorted(path.name for path in result.files.values()) == STEMS
    assert all(path.is_file() for path in result.files.values())
    assert load_manifest(result.manifest)
    assert list_stage(tiny) == []


def test_a_song_that_cannot_be_fetched_fails(request_there, run, tiny):
    request = dataclasses.replace(request_there, inputs={"song": Path("memory://in/no.wav")})
    with pytest.raises(UnreadableAudio, match=r"memory://in/no\.wav: cannot be read"):
        run_staged(request, run)
    assert list_stage(tiny) == []


def test_one_process_does_a_job(request_there, run):
    with (
        stage(request_there),
        pytest.raises(JobRunning, match="another msdm does the same job"),
    ):
        run_staged(request_there, run)
