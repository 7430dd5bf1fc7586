import threading
import time

import pytest

from msdm_cli.tasks.ahead import Ahead


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


def test_a_call_waits_for_its_turn_rather_than_for_any_thread():
    threads = [[], []]

    def call(number):
        threads[number % 2].append(threading.get_ident())
        time.sleep(0.03 if number % 2 else 0)

    with Ahead(2, do_nothing) as ahead:
        list(ahead.run(lambda number=number: call(number) for number in range(8)))
    assert [len(set(found)) for found in threads] == [1, 1]
    assert threads[0][0] != threads[1][0]


def test_the_next_call_is_taken_while_one_runs():
    go = threading.Event()

    def calls():
        yield lambda: go.wait(10)
        go.set()  # if this were not reached, the first call would wait in vain
        yield lambda: True

    with Ahead(1, do_nothing) as ahead:
        assert list(ahead.run(calls())) == [True, True]


def test_a_failure_stops_what_runs_and_forgets_the_rest():
    stopped, told, begun = threading.Event(), [], threading.Event()

    def fail():
        begun.wait(10)
        raise ZeroDivisionError

    def run_on():
        begun.set()
        told.append(stopped.wait(10))

    # The third is taken while the first two run, and waits behind the second.
    calls = [fail, run_on, do_nothing, lambda: told.append("forgotten")]
    with pytest.raises(ZeroDivisionError), Ahead(2, stopped.set) as ahead:
        list(ahead.run(calls))
    assert told == [True]
