import pickle
import threading
import weakref

import pytest
from conftest import BY_POST, WAIT_SECONDS, request_separation

from msdm_cli.errors import ResultsExist
from msdm_cli.jobs import run as run_module
from msdm_cli.jobs.executors import EXECUTORS, Executor, attempt, choose_executor
from msdm_cli.jobs.run import run_alone, run_job


def run_backwards(requests, work, workers, stop):
    """A toy: one job after the other, the last one first."""
    for name in reversed(requests):
        yield attempt(name, requests[name], work)


BACKWARDS = Executor(run_backwards)


HERE = [name for name, row in EXECUTORS.items() if row.here]


@pytest.fixture(params=[*HERE, "backwards"])
def execute(request, monkeypatch):
    """What each executor of this process runs jobs with, and one that is added by one row."""
    monkeypatch.setitem(EXECUTORS, "backwards", BACKWARDS)
    return EXECUTORS[request.param].run


def do_nothing():
    pass


def run_threads(calls, workers, stop=do_nothing):
    """Run calls, by name, in threads. Requests are not looked at on the way."""
    requests = dict.fromkeys(calls)
    ended = EXECUTORS["threads"].run(requests, lambda name, _: calls[name](), workers, stop)
    return ((one.name, one.result) for one in ended)


def test_the_executors_are_these():
    assert list(EXECUTORS) == ["serial", "threads", "ray"]
    assert HERE == ["serial", "threads"]  # the other one: tests/jobs/cluster


@pytest.mark.parametrize(("workers", "name"), [(1, "serial"), (2, "threads"), (99, "threads")])
def test_the_first_that_runs_so_many_jobs_is_chosen(workers, name):
    assert choose_executor(None, workers) is EXECUTORS[name]


def test_a_name_chooses_whatever_the_number(monkeypatch):
    monkeypatch.setitem(EXECUTORS, "post", BY_POST)
    assert choose_executor("post", 1) is BY_POST
    assert choose_executor("threads", 1) is EXECUTORS["threads"]


def test_every_job_is_run_once_and_gives_its_result(execute):
    made = []

    def work(name, request):
        made.append((name, request))
        return request * request

    requests = {str(number): number for number in range(9)}
    ended = list(execute(requests, work, 2, do_nothing))
    assert sorted(made) == sorted(requests.items())
    assert {one.name: one.result for one in ended} == {
        str(number): number * number for number in range(9)
    }
    assert all(one.seconds >= 0 for one in ended)
    assert len(ended) == 9


def test_nothing_to_do_is_done(execute):
    assert list(execute({}, None, 2, do_nothing)) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_what_is_no_failure_of_a_job_ends_all(execute, error):
    def fail(name, request):
        raise error

    with pytest.raises(error):
        list(execute({"one": None}, fail, 2, do_nothing))


@pytest.mark.parametrize("error", [ResultsExist("what", "remedy"), OSError(5, "no"), MemoryError()])
def test_a_failure_ends_its_job_alone(execute, error):
    def work(name, request):
        if name == "bad":
            raise error
        return name

    ended = execute({"good": None, "bad": None, "too": None}, work, 2, do_nothing)
    assert {one.name: one.result for one in ended} == {"good": "good", "bad": error, "too": "too"}


def test_a_failure_does_not_hold_on_to_what_failed():
    class Samples:
        """What a failed job has in memory."""

    references = []

    def work(name, request):
        samples = Samples()
        references.append(weakref.ref(samples))
        try:
            raise OSError(28, "full")
        except OSError as error:
            raise ResultsExist("what", "remedy") from error

    ended = attempt("one", None, work)
    assert references[0]() is None
    assert ended.result.__cause__.errno == 28  # the hint follows it


def test_jobs_give_the_same_bytes_whoever_runs_them(tiny_model, write_song, tmp_path, execute):
    songs = [write_song(f"{number}.wav", 0.3, seed=number) for number in range(3)]

    def run(run_jobs, folder):
        requests = {
            song.stem: request_separation(tiny_model, song, tmp_path / folder) for song in songs
        }
        ended = run_jobs(
            requests, lambda name, request: run_job(request, tiny_model), 2, do_nothing
        )
        return {one.name: one.result for one in ended}

    expected = run(EXECUTORS["serial"].run, "serial")
    results = run(execute, "other")
    assert results.keys() == expected.keys()
    for name, result in results.items():
        for stem, path in result.files.items():
            assert path.read_bytes() == expected[name].files[stem].read_bytes()


def test_requests_results_and_failures_can_leave_the_process(
    tiny_model, write_song, tmp_path, monkeypatch
):
    loaded = []
    monkeypatch.setattr(run_module, "find_result", lambda request: None)
    monkeypatch.setattr(run_module, "load", lambda name, runtime: loaded.append(name) or tiny_model)
    run_module._load_once.cache_clear()
    songs = [write_song(f"{number}.wav", 0.3, seed=number) for number in range(3)]
    songs[1].unlink()
    requests = {song.stem: request_separation(tiny_model, song, tmp_path / "out") for song in songs}
    assert pickle.loads(pickle.dumps(requests["0"])) == requests["0"]
    first, second, third = BY_POST.run(requests, run_alone, 1, do_nothing)
    run_module._load_once.cache_clear()
    assert (second.result.message, second.result.remedy) == (
        f"{songs[1]}: no such file or directory",
        "Check the name.",
    )
    assert loaded == ["tiny"]  # once for all
    for ended in (first, third):
        expected = run_job(
            request_separation(tiny_model, tmp_path / f"{ended.name}.wav", tmp_path / "here"),
            tiny_model,
        )
        assert ended.result.files["bass"].read_bytes() == expected.files["bass"].read_bytes()


def test_serial_jobs_come_in_order_in_the_calling_thread():
    requests = dict.fromkeys(map(str, range(5)))
    ended = EXECUTORS["serial"].run(
        requests, lambda name, request: threading.get_ident(), 4, do_nothing
    )
    assert [(one.name, one.result) for one in ended] == [
        (name, threading.get_ident()) for name in requests
    ]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_as_many_threads_run_at_once_as_there_are_workers(workers):
    together = threading.Barrier(workers, timeout=WAIT_SECONDS)
    lock = threading.Lock()
    running = most = 0

    def call():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()  # broken if fewer calls ran at once
        with lock:
            running -= 1
        together.wait()

    calls = {str(number): call for number in range(6)}
    assert len(list(run_threads(calls, workers))) == 6
    assert most == workers


def test_results_of_threads_come_as_they_are_ready():
    fast_arrived = threading.Event()

    def slow():
        assert fast_arrived.wait(WAIT_SECONDS)
        return "slow"

    results = run_threads({"slow": slow, "fast": lambda: "fast"}, 2)
    assert next(results) == ("fast", "fast")
    fast_arrived.set()
    assert list(results) == [("slow", "slow")]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_thread_that_ends_all_stops_the_others_and_drops_what_waits(error):
    began = threading.Event()
    stopped = threading.Event()
    found = []

    def fail():
        assert began.wait(WAIT_SECONDS)
        raise error

    def run_on():
        began.set()
        found.append(stopped.wait(WAIT_SECONDS))

    calls = {"fail": fail, "on": run_on, "on too": run_on, "dropped": lambda: found.append(None)}
    with pytest.raises(error):
        list(run_threads(calls, 3, stopped.set))
    # The thread that has failed may take one more call before the pool is shut down.
    assert found.count(True) == 2
    assert found.count(False) == 0


def test_whoever_stops_listening_stops_the_threads():
    stopped = threading.Event()
    requests = {"first": None, "second": None}

    def work(name, request):
        return name == "second" and stopped.wait(WAIT_SECONDS)

    results = EXECUTORS["threads"].run(requests, work, 2, stopped.set)
    assert next(results).name == "first"
    results.close()
    assert stopped.is_set()
