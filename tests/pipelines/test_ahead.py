import threading
import time

import pytest

from msdm_cli.pipelines.ahead import Ahead


def do_nothing():
    pass


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_order_and_no_more_run_at_once_than_asked(workers):
    running, most, lock = 0, 0, threading.Lock()

    def call(number):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02 * (number % 3))
        with lock:
            running -= 1
        return number

    with Ahead(workers, do_nothing) as ahead:
        found = list(ahead.run(lambda number=number: call(number) for number in range(12)))
    assert found == list(range(12))
    assert most == workers


def test_the_next_call_is_taken_while_one_runs():
    taken, go = threading.Event(), threading.Event()

    def calls():
        yield lambda: go.wait(10)
        taken.set()
        go.set()  # without being taken, the first call would wait in vain
        yield lambda: True

    with Ahead(1, do_nothing) as ahead:
        assert list(ahead.run(calls())) == [True, True]
    assert taken.is_set()


def test_a_failure_stops_what_runs_and_forgets_the_rest():
    stopped, done = threading.Event(), []

    def fail():
        raise ZeroDivisionError

    calls = [fail, lambda: stopped.wait(10), *[lambda: done.append(1)] * 5]
    with pytest.raises(ZeroDivisionError), Ahead(2, stopped.set) as ahead:
        list(ahead.run(calls))
    assert len(done) <= 1, "the one that had begun before anybody looked"
