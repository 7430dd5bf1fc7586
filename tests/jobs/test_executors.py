import threading
from functools import partial

import pytest
from conftest import WAIT_SECONDS, request_separation

from msdm_cli.jobs.executors import EXECUTORS
from msdm_cli.jobs.run import run_job


def run_backwards(calls, workers, stop):
    """A toy: one call after the other, the last one first."""
    for name in reversed(calls):
        yield name, calls[name]()


@pytest.fixture(params=[*EXECUTORS, "backwards"])
def execute(request, monkeypatch):
    """Each executor of the table, and one that is added by one row."""
    monkeypatch.setitem(EXECUTORS, "backwards", run_backwards)
    return EXECUTORS[request.param]


def do_nothing():
    pass


def test_the_executors_are_these():
    assert list(EXECUTORS) == ["serial", "threads"]


def test_every_call_is_made_once_and_gives_its_result(execute):
    made = []

    def call(number):
        made.append(number)
        return number * number

    calls = {str(number): partial(call, number) for number in range(9)}
    results = list(execute(calls, 2, do_nothing))
    assert sorted(made) == list(range(9))
    assert dict(results) == {str(number): number * number for number in range(9)}
    assert len(results) == 9


def test_nothing_to_do_is_done(execute):
    assert list(execute({}, 2, do_nothing)) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_call_that_fails_ends_all(execute, error):
    def fail():
        raise error

    with pytest.raises(error):
        list(execute({"one": fail}, 2, do_nothing))


def test_jobs_give_the_same_bytes_whoever_runs_them(tiny_model, write_song, tmp_path, execute):
    songs = [write_song(f"{number}.wav", 0.3, seed=number) for number in range(3)]

    def list_jobs(folder):
        return {
            song.stem: partial(
                run_job, request_separation(tiny_model, song, tmp_path / folder), tiny_model
            )
            for song in songs
        }

    expected = dict(EXECUTORS["serial"](list_jobs("serial"), 1, do_nothing))
    results = dict(execute(list_jobs("other"), 2, do_nothing))
    assert results.keys() == expected.keys()
    for name, result in results.items():
        for stem, path in result.files.items():
            assert path.read_bytes() == expected[name].files[stem].read_bytes()


def test_serial_calls_come_in_order_in_the_calling_thread():
    calls = {str(number): threading.get_ident for number in range(5)}
    results = list(EXECUTORS["serial"](calls, 4, do_nothing))
    assert results == [(str(number), threading.get_ident()) for number in range(5)]


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
    assert len(list(EXECUTORS["threads"](calls, workers, do_nothing))) == 6
    assert most == workers


def test_results_of_threads_come_as_they_are_ready():
    fast_arrived = threading.Event()

    def slow():
        assert fast_arrived.wait(WAIT_SECONDS)
        return "slow"

    results = EXECUTORS["threads"]({"slow": slow, "fast": lambda: "fast"}, 2, do_nothing)
    assert next(results) == ("fast", "fast")
    fast_arrived.set()
    assert list(results) == [("slow", "slow")]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_failing_thread_stops_the_others_and_drops_what_waits(error):
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
        list(EXECUTORS["threads"](calls, 3, stopped.set))
    # The thread that has failed may take one more call before the pool is shut down.
    assert found.count(True) == 2
    assert found.count(False) == 0


def test_whoever_stops_listening_stops_the_threads():
    stopped = threading.Event()
    calls = {"first": do_nothing, "second": partial(stopped.wait, WAIT_SECONDS)}
    results = EXECUTORS["threads"](calls, 2, stopped.set)
    assert next(results) == ("first", None)
    results.close()
    assert stopped.is_set()
