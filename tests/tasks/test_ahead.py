import threading

import pytest
from conftest import WAIT_SECONDS

from msdm_cli.tasks.ahead import Ahead


def do_nothing():
    pass


@pytest.mark.parametrize("devices", [1, 2, 3])
def test_as_many_calls_run_at_once_as_there_are_devices(devices):
    together = threading.Barrier(devices, timeout=WAIT_SECONDS)
    lock = threading.Lock()
    running = most = 0

    def call(number):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()  # broken if fewer calls ran at once
        with lock:
            running -= 1
        together.wait()
        return number

    with Ahead(devices, do_nothing) as ahead:
        results = list(ahead.run(lambda number=number: call(number) for number in range(12)))
    assert results == list(range(12))
    assert most == devices


def test_results_come_in_order_though_the_first_ends_last():
    second_ended = threading.Event()

    def first():
        assert second_ended.wait(WAIT_SECONDS)
        return "first"

    def second():
        second_ended.set()
        return "second"

    with Ahead(2, do_nothing) as ahead:
        assert list(ahead.run([first, second])) == ["first", "second"]


def test_a_call_runs_on_the_device_whose_turn_it_is():
    threads = {}
    second_ended = threading.Event()

    def call(number):
        threads[number] = threading.get_ident()
        if number == 0:  # the other thread is idle meanwhile
            assert second_ended.wait(WAIT_SECONDS)
        if number == 1:
            second_ended.set()

    with Ahead(2, do_nothing) as ahead:
        list(ahead.run(lambda number=number: call(number) for number in range(8)))
    even = {threads[number] for number in range(0, 8, 2)}
    odd = {threads[number] for number in range(1, 8, 2)}
    assert (len(even), len(odd)) == (1, 1)
    assert even != odd


def test_the_next_call_is_taken_while_one_runs():
    go = threading.Event()

    def calls():
        yield lambda: go.wait(WAIT_SECONDS)
        go.set()  # if this were not reached, the first call would wait in vain
        yield lambda: True

    with Ahead(1, do_nothing) as ahead:
        assert list(ahead.run(calls())) == [True, True]


def test_a_result_that_is_used_does_not_stop_the_next_call():
    second_began = threading.Event()

    with Ahead(1, do_nothing) as ahead:
        results = ahead.run([do_nothing, second_began.set, do_nothing])
        next(results)
        assert second_began.wait(WAIT_SECONDS)


def test_a_failure_stops_running_calls_and_drops_the_others():
    stopped = threading.Event()
    began = threading.Event()
    found = []

    def fail():
        assert began.wait(WAIT_SECONDS)
        raise ZeroDivisionError

    def run_on():
        began.set()
        found.append(stopped.wait(WAIT_SECONDS))

    # The fourth is taken while the first two run, and waits behind the second.
    calls = [fail, run_on, do_nothing, lambda: found.append("dropped")]
    with pytest.raises(ZeroDivisionError), Ahead(2, stopped.set) as ahead:
        list(ahead.run(calls))
    assert found == [True]
