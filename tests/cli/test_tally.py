import threading

import pytest

from msdm_cli.cli.tally import Tally


def test_the_share_weighs_jobs_by_their_sizes():
    tally = Tally({"a": 30, "b": 10})
    tally.begin("a", 6, 0)
    tally.add("a", 2, skipped=False)
    assert tally.share == pytest.approx(10 / 40)
    tally.end("a")
    assert tally.share == pytest.approx(30 / 40)
    assert (tally.ended, tally.count, tally.running) == (1, 2, [])


def test_the_time_left_counts_new_units_alone():
    tally = Tally({"a": 1})
    tally.begin("a", 10, 100.0)
    tally.add("a", 6, skipped=True)
    assert tally.seconds_left(100.1) is None
    tally.add("a", 2, skipped=False)
    # 2 of 10 units in 8 s: 4 s a unit, and 2 units are left.
    assert tally.seconds_left(108.0) == pytest.approx(8)


def test_a_job_that_was_done_before_takes_no_time():
    tally = Tally({"a": 1, "b": 1, "c": 1})
    tally.end("a")
    tally.begin("b", 4, 0.0)
    tally.add("b", 4, skipped=False)
    tally.end("b")
    assert tally.seconds_left(5.0) == pytest.approx(5)


def test_writing_again_does_not_go_back():
    tally = Tally({"a": 1})
    tally.begin("a", 4, 0.0)
    tally.add("a", 4, skipped=False)
    tally.begin("a", 4, 9.0)
    assert tally.share == 1
    tally.add("a", 1, skipped=True)
    assert tally.units == (1, 4)
    assert tally.share == 1
    assert tally.seconds_left(10.0) == 0


def test_units_are_those_of_the_running_jobs():
    tally = Tally({"a": 1, "b": 1, "c": 1})
    for name in "abc":
        tally.begin(name, 10, 0.0)
        tally.add(name, 3, skipped=False)
    tally.end("a")
    assert tally.running == ["b", "c"]
    assert tally.units == (6, 20)


def test_jobs_in_threads_are_all_counted():
    tally = Tally({"a": 1})
    tally.begin("a", 2000, 0.0)

    def count():
        for _ in range(500):
            tally.add("a", 1, skipped=False)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.units == (2000, 2000)
    assert tally.share == pytest.approx(1)


def test_jobs_elsewhere_are_seen_when_they_end():
    tally = Tally({"a": 1, "b": 1, "c": 2})
    tally.end_elsewhere("a", 10.0, skipped=True)
    assert tally.seconds_left(20.0) is None
    tally.end_elsewhere("b", 10.0, skipped=False)
    assert (tally.ended, tally.running, tally.share) == (2, [], 0.5)
    assert tally.seconds_left(20.0) == pytest.approx(20)


def test_a_job_that_ends_twice_is_counted_once():
    tally = Tally({"a": 1, "b": 1})
    tally.end("a")
    tally.end("a")
    assert (tally.ended, tally.share) == (1, 0.5)
