import logging
import pickle
from pathlib import Path

import pytest
from conftest import request_separation

from msdm_cli.cli.beside import Beside
from msdm_cli.cli.work import WorkElsewhere
from msdm_cli.jobs import run


@pytest.fixture
def model(tiny_model, monkeypatch):
    monkeypatch.setattr(run, "find_result", lambda request: None)
    monkeypatch.setattr(run, "load", lambda name, runtime: tiny_model)
    run._load_once.cache_clear()
    yield tiny_model
    run._load_once.cache_clear()


def test_pages_are_made_where_the_job_runs(pages, model, write_song, tmp_path):
    request = request_separation(model, write_song(seconds=0.2), tmp_path / "stems")
    work = pickle.loads(pickle.dumps(WorkElsewhere(page=True, project="reaper", midi=False)))
    result = work("song", request)
    assert {path.name for path in result.beside} == {"index.html", "song.rpp"}
    assert all(path.is_file() for path in result.beside)


def test_what_fails_beside_results_is_logged(model, write_song, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(Beside, "add", lambda self, result: self.display.say("no page") or ())
    request = request_separation(model, write_song(seconds=0.2), tmp_path / "stems")
    with caplog.at_level(logging.INFO, "msdm_cli"):
        result = WorkElsewhere(page=True, project=None, midi=False)("song", request)
    assert "no page" in caplog.messages
    assert result.beside == ()
    assert Path(result.files["bass"]).is_file()
