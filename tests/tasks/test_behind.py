import threading

import pytest

from msdm_cli.tasks.behind import Behind


def test_calls_come_in_order_in_another_thread():
    done, threads = [], set()

    def call(number):
        threads.add(threading.get_ident())
        done.append(number)
        return number

    with Behind() as behind:
        for number in range(50):
            behind.do(call, number)
        behind.do(call, 50)
    assert done == list(range(51))
    assert threads.isdisjoint({threading.get_ident()})


def fail():
    raise ZeroDivisionError


def test_a_failure_is_said_by_the_next_call_or_at_the_end():
    with pytest.raises(ZeroDivisionError), Behind() as behind:
        behind.do(fail)
        behind.do(print)
    with pytest.raises(ZeroDivisionError), Behind() as behind:
        behind.do(fail)


def test_another_failure_is_not_hidden():
    with pytest.raises(KeyError), Behind() as behind:
        behind.do(fail)
        raise KeyError
