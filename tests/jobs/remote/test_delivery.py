import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from conftest import list_files, request_generation

from msdm_cli.errors import ResultsExist, UnwritableAddress, UnwritableResults
from msdm_cli.jobs.remote.stage import STAGES, run_staged
from msdm_cli.jobs.remote.storage import Folder

STEMS = ["bass.wav", "drums.wav", "guitar.wav", "piano.wav"]

pytestmark = pytest.mark.usefixtures("tiny")


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
    kept = [name for name in list_files(tiny / STAGES) if name.endswith(".wav")]
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


def fail_to_run(local):
    pytest.fail("it runs again")


def edit_manifest(memory, **files):
    """Add records to the manifest that was uploaded."""
    described = json.loads(memory.cat_file("/out/song/msdm.json"))
    for name, path in files.items():
        described["files"][name] = {"path": path, "sha256": "0" * 64, "size_bytes": 4}
    memory.pipe_file("/out/song/msdm.json", json.dumps(described).encode())


@pytest.mark.parametrize("path", ["{here}/mine", "../../../../../mine"])
def test_a_manifest_elsewhere_reaches_no_file_of_this_machine(
    memory, request_there, run, tmp_path, path, tiny, monkeypatch
):
    run_staged(request_there, run)
    mine = [tmp_path / "mine", tiny / "mine", tiny.parent / "mine"]
    for place in mine:
        place.write_bytes(b"mine")
    edit_manifest(memory, x=path.format(here=tmp_path))
    find = Folder.find_size
    monkeypatch.setattr(
        Folder, "find_size", lambda self, path: 4 if path.name == "mine" else find(self, path)
    )
    run_staged(request_there, fail_to_run)
    assert all(place.read_bytes() == b"mine" for place in mine)


def test_a_manifest_that_is_none_is_not_read_to_its_end(memory, request_there, monkeypatch):
    memory.pipe_file("/out/song/msdm.json", b"x" * (5 << 20))
    monkeypatch.setattr(Folder, "read", lambda *given: pytest.fail("it is read"))
    with pytest.raises(ResultsExist, match=r"msdm\.json: is there already"):
        run_staged(request_there, fail_to_run)


def test_the_seed_that_was_drawn_is_in_the_description(memory, model, run):
    request = request_generation(model, Path("memory://out"), 0.5, seed=None, track="take")
    result = run_staged(request, run)
    described = json.loads(memory.cat_file("/out/take/msdm.json"))["request"]
    assert described["options"]["seed"] == result.seed is not None
    assert described["folder"] == "memory://out"


def test_a_marker_beside_complete_results_goes(memory, request_there, run):
    run_staged(request_there, run)
    memory.pipe_file("/out/song/.msdm.part", b"a kill before the last step")
    assert run_staged(request_there, fail_to_run).skipped
    assert not memory.exists("/out/song/.msdm.part")


def test_a_page_of_others_stays(memory, request_there, run):
    memory.pipe_file("/out/song/index.html", b"theirs")
    memory.pipe_file("/out/song/.msdm.part", b"an upload was interrupted")
    assert run_staged(request_there, run).beside == ()
    assert memory.cat_file("/out/song/index.html") == b"theirs"
    result = run_staged(dataclasses.replace(request_there, overwrite=True), run)
    assert [path.name for path in result.beside] == ["index.html"]
    assert memory.cat_file("/out/song/index.html") == b"page"


def test_of_an_upload_that_fails_nothing_stays(memory, request_there, run, monkeypatch):
    put = type(memory).put_file

    def fail(self, file, place, **options):
        if ".guitar.wav." in place:
            raise PermissionError("Access Denied")
        put(self, file, place, **options)

    monkeypatch.setattr(type(memory), "put_file", fail)
    with pytest.raises(UnwritableAddress, match=r"guitar\.wav: cannot be written"):
        run_staged(request_there, run)
    assert memory.find("/out") == []
