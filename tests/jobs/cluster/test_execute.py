"""The executor with a toy in the place of Ray, and with Ray where it is installed."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import WAIT_SECONDS, request_separation, separate
from run_msdm import store_tiny_model

from msdm_cli.errors import ClusterError, JobRunning, ResultsExist
from msdm_cli.jobs.cluster import connection, queue
from msdm_cli.jobs.cluster.connection import LOCAL, Cluster
from msdm_cli.jobs.cluster.execute import make_absolute, run_on_ray
from msdm_cli.jobs.executors import EXECUTORS
from msdm_cli.jobs.run import run_alone, run_job
from msdm_cli.models.load import load
from msdm_cli.progress import SilentProgress


@pytest.fixture
def run_toy(toy_ray, monkeypatch, tiny_model, tmp_path):
    """Runs jobs by their names on a toy: how each ended."""
    monkeypatch.setattr(connection, "load_ray", lambda: toy_ray)
    request = request_separation(tiny_model, tmp_path / "song.wav", tmp_path)

    def run(names, work, cluster=None):
        requests = dict.fromkeys(names, request)
        return {one.name: one.result for one in run_on_ray(requests, work, 1, None, cluster)}

    return run


def test_every_job_is_run_once(run_toy, toy_ray):
    made = []
    names = [str(number) for number in range(9)]
    results = run_toy(names, lambda name, request: made.append(name) or name)
    assert results == {name: name for name in names}
    assert sorted(made) == names
    assert toy_ray.started == 2  # one for each core
    assert toy_ray.alive == []


def test_nothing_to_do_needs_no_cluster():
    assert list(run_on_ray({}, None, 1, None)) == []


def test_a_failure_ends_its_job_alone(run_toy):
    def work(name, request):
        if name == "bad":
            raise ResultsExist("what", "remedy")
        return name

    results = run_toy(["good", "bad", "too"], work)
    assert isinstance(results.pop("bad"), ResultsExist)
    assert results == {"good": "good", "too": "too"}


def test_a_job_whose_worker_was_lost_goes_on_elsewhere(run_toy, toy_ray, caplog):
    toy_ray.kills["b"] = 2
    with caplog.at_level("INFO"):
        results = run_toy("abc", lambda name, request: name)
    assert results == {"a": "a", "b": "b", "c": "c"}
    assert len([text for text in caplog.messages if "goes on elsewhere" in text]) == 2


def test_a_poisonous_job_is_given_up_after_three_tries_and_named(run_toy, toy_ray):
    toy_ray.kills["poison.wav"] = 99
    results = run_toy(["a", "poison.wav", "b"], lambda name, request: name)
    error = results.pop("poison.wav")
    assert isinstance(error, ClusterError)
    assert error.message.startswith("poison.wav: given up, since 3 workers were lost with it (")
    assert toy_ray.kills["poison.wav"] == 96
    assert results == {"a": "a", "b": "b"}


def test_a_lock_that_a_lost_machine_still_holds_is_waited_for(run_toy, monkeypatch):
    monkeypatch.setattr(queue, "AGAIN_SECONDS", 0.0)
    tries = Counter()

    def work(name, request):
        tries[name] += 1
        if name == "a" and tries[name] < 3:
            raise JobRunning("held", "wait")
        return name

    assert run_toy("ab", work) == {"a": "a", "b": "b"}
    assert tries == {"a": 3, "b": 1}


def test_whoever_stops_listening_leaves_no_worker(run_toy, toy_ray, tiny_model, tmp_path):
    request = request_separation(tiny_model, tmp_path / "song.wav", tmp_path)
    ended = run_on_ray(dict.fromkeys("abc", request), lambda name, _: name, 1, None)
    next(ended)
    assert toy_ray.alive
    ended.close()
    assert toy_ray.alive == []


def test_workers_that_find_no_room_are_refused(run_toy):
    with pytest.raises(ClusterError, match="GPU=8"):
        run_toy("a", None, Cluster(resources={"GPU": 8.0}))


def test_jobs_travel_with_absolute_paths(tiny_model, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    request = request_separation(tiny_model, Path("song.wav"), Path("stems"))
    sent = make_absolute(request)
    assert sent.inputs == {"song": tmp_path / "song.wav"}
    assert sent.folder == tmp_path / "stems"
    same = dataclasses.replace(sent, inputs=request.inputs, folder=request.folder)
    assert same == request


# With Ray itself


def kill_or_answer(name, request):
    """Work of a worker: jobs by their names."""
    if name == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "once":
        marker = request.folder / "once"
        if not marker.exists():
            marker.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
    return name


class KillsOnce(SilentProgress):
    """Kills its process at the second network call, the first time."""

    def __init__(self, marker):
        self.marker = marker
        self.calls = 0

    def advance(self, units=1):
        self.calls += 1
        if self.calls == 2 and not self.marker.exists():
            self.marker.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)


def kill_inside(name, request):
    """Work of a worker that is lost inside a song, once."""
    model = load(request.model, request.runtime)
    return run_job(request, model, KillsOnce(request.folder.parent / f"killed-{name}"))


@pytest.fixture(scope="module")
def real_ray(tmp_path_factory):
    """A cluster of this machine, with two cores, and models."""
    cache = tmp_path_factory.mktemp("cache")
    store_tiny_model(cache)
    patch = pytest.MonkeyPatch()
    patch.setenv("MSDM_CACHE", str(cache))
    # Workers import the tests' own modules, too.
    paths = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2]), *sys.path]
    patch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
    pytest.importorskip("ray")
    patch.delenv("RAY_ADDRESS", raising=False)
    ray = connection.load_ray()
    own = {"address": LOCAL, "num_cpus": 2, "include_dashboard": False}
    ray.init(**own, log_to_driver=False, logging_level="FATAL")
    yield ray
    ray.shutdown()
    patch.undo()


def test_real_workers_run_fail_and_die(real_ray, tiny_model, tmp_path):
    request = request_separation(tiny_model, tmp_path / "song.wav", tmp_path)
    names = ["a", "poison", "once", "b"]
    requests = dict.fromkeys(names, request)
    ended = run_on_ray(requests, kill_or_answer, 1, None, Cluster(LOCAL, {"CPU": 1.0}))
    results = {one.name: one.result for one in ended}
    assert "given up" in results.pop("poison").message
    assert results == {name: name for name in ("a", "once", "b")}


def test_songs_are_separated_on_a_cluster_as_here(real_ray, tiny_model, write_song, tmp_path):
    songs = [write_song(f"{number}.wav", 0.3, seed=number) for number in range(3)]
    requests = {song.stem: request_separation(tiny_model, song, tmp_path / "out") for song in songs}
    for skipped in (False, True):
        ended = list(EXECUTORS["ray"].run(requests, run_alone, 1, None))
        assert {one.result.skipped for one in ended} == {skipped}
        assert all(one.machine and one.workers for one in ended)
    for song in songs:
        expected = separate(tiny_model, song, tmp_path / "here")
        for stem, path in expected.files.items():
            assert (tmp_path / "out" / song.stem / path.name).read_bytes() == path.read_bytes(), (
                stem
            )


def test_a_song_goes_on_inside_where_its_journal_is_seen(
    real_ray, tiny_model, write_song, tmp_path
):
    song = write_song(seconds=5.0, channels=1)
    request = request_separation(tiny_model, song, tmp_path / "out", seed=None)
    (ended,) = run_on_ray({"a": request}, kill_inside, 1, None)
    assert (tmp_path / "killed-a").exists()
    model = load("tiny", tiny_model.runtime)
    expected = run_job(dataclasses.replace(request, folder=tmp_path / "here"), model)
    assert 0 < ended.result.calls < expected.calls
    for stem, path in expected.files.items():
        assert ended.result.files[stem].read_bytes() == path.read_bytes()


DRIVER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
from msdm_cli.cli.app import main
main()
"""


@pytest.mark.parametrize(("sign", "status"), [("SIGINT", 130), ("SIGKILL", -signal.SIGKILL)])
def test_a_driver_that_ends_leaves_no_worker_and_may_be_started_again(
    real_ray, write_song, tmp_path, sign, status
):
    songs = [write_song(f"{number}.wav", 1.0, seed=number) for number in range(12)]
    address = real_ray.get_runtime_context().gcs_address
    options = ("-o", tmp_path / "out", "--model", "tiny", "--no-page", "--json")
    command = [sys.executable, "-c", DRIVER, "separate", *songs, *options]
    command = [str(word) for word in (*command, "--cluster", address)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as driver:
        next(line for line in driver.stderr if '"progress"' in line)
        driver.send_signal(getattr(signal, sign))
        driver.stderr.read()
    assert driver.returncode == status
    # It takes both cores, and so is run when no worker is left.
    both = real_ray.remote(num_cpus=2)(kill_or_answer).remote("all", None)
    assert real_ray.get(both, timeout=WAIT_SECONDS) == "all"
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    states = [entry["skipped"] for entry in json.loads(again.stdout)]
    assert len(states) == 12
    assert any(states)
