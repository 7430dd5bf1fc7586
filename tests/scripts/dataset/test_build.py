"""The command that renders the training set."""

import json
from concurrent.futures import Future
from itertools import count

import numpy as np
import pytest
import soundfile
import typer

from scripts.dataset import build as command
from scripts.dataset import task as song
from scripts.dataset.build import MOST_FAILURES, SplitRenderer
from scripts.dataset.task import Task, render_task

SECONDS = 90.0


class Here:
    """A pool of processes that is this process."""

    def submit(self, work, *arguments):
        future = Future()
        future.set_result(work(*arguments))
        return future


@pytest.fixture
def rendered(monkeypatch):
    """Songs of a second that say they are of 90; their seeds."""
    seeds = []

    def render(seed, split, *folders):
        seeds.append(seed)
        if seed.endswith("/1"):
            raise RuntimeError("bass is silent")
        return np.full((4, 22050), 0.5, np.float32), {"duration_seconds": SECONDS, "seed": seed}

    monkeypatch.setattr(song, "render_song", render)
    return seeds


def list_tasks(folder):
    return (Task(folder, "train", index, 7, folder, None) for index in count())


def test_songs_are_rendered_in_order_until_there_are_enough(rendered, tmp_path, capsys):
    renderer = SplitRenderer(Here(), "train", hours=4 * SECONDS / 3600)
    assert renderer.render(list_tasks(tmp_path), jobs=1) == 1
    assert rendered == [f"7/train/{index}" for index in range(5)]
    printed = capsys.readouterr().out
    assert "Track00001: RuntimeError: bass is silent" in printed
    assert "train: 4 songs, 0.10 of 0.10 h" in printed
    folder = tmp_path / "train" / "Track00003"
    assert json.loads((folder / "metadata.json").read_text())["seed"] == "7/train/3"
    assert soundfile.info(folder / "piano.flac").subtype == "PCM_16"


def test_finished_songs_are_kept(rendered, tmp_path):
    task = next(list_tasks(tmp_path))
    assert render_task(task).seconds == SECONDS
    assert render_task(task).seconds == SECONDS
    assert len(rendered) == 1


def test_too_many_failures_end_it(monkeypatch, tmp_path):
    def fail(seed, split, *folders):
        raise OSError("no such sound font")

    monkeypatch.setattr(song, "render_song", fail)
    renderer = SplitRenderer(Here(), "train", hours=1.0)
    assert renderer.render(list_tasks(tmp_path), jobs=1) == MOST_FAILURES


def test_songs_that_people_wrote_are_gathered_in_the_folder_of_the_songs(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(command, "gather", lambda *folders: asked.append(folders) or ["a", "b"])
    monkeypatch.setattr(command, "describe", lambda *arguments: asked.append(arguments[1]))
    games = tmp_path / "games"
    games.mkdir()
    with pytest.raises(typer.Exit):
        command.main(
            tmp_path / "out", hours=0.0, validation_minutes=0.0, instruments=tmp_path, midi=games
        )
    assert asked[0] == (games, tmp_path / "out" / "midi")
    assert asked[1]["midi"] == ["a", "b"]
    with pytest.raises(typer.BadParameter, match="no such folder"):
        command.main(tmp_path / "out", instruments=tmp_path, midi=tmp_path / "missing")


def test_zones_are_prepared_in_the_folder_of_the_songs(rendered, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(command, "prepare_missing", lambda *folders: asked.append(folders))
    monkeypatch.setattr(command, "describe", lambda *arguments: asked.append(arguments[1:]))
    zones = tmp_path / "zones"
    zones.mkdir()
    for web in (None, zones):
        with pytest.raises(typer.Exit):
            command.main(
                tmp_path / "out", hours=0.0, validation_minutes=0.0, instruments=tmp_path, web=web
            )
    arguments = {"hours": 0.0, "validation_minutes": 0.0, "seed": 0, "fetched": False}
    prepared = tmp_path / "out" / "web"
    assert asked == [
        (arguments, tmp_path, None, None),
        (zones, prepared),
        ({**arguments, "web": True}, tmp_path, None, prepared),
    ]
    with pytest.raises(typer.BadParameter, match="no such folder"):
        command.main(tmp_path / "out", instruments=tmp_path, web=tmp_path / "missing")
