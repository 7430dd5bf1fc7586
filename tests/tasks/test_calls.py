import threading

import numpy as np
import pytest
from conftest import WAIT_SECONDS

from msdm_cli.errors import NonFiniteSamples
from msdm_cli.tasks.calls import Calls, WatchedDenoiser


class Counter:
    def __init__(self):
        self.units = []

    def start(self, label, total, unit="calls"):
        raise AssertionError("calls do not begin a piece of work")

    def advance(self, units=1):
        self.units.append(units)


class Denoiser:
    takes_mixture = False
    shares_sigma = True

    def __init__(self, factor=1.0):
        self.factor = factor

    def __call__(self, x, sigma, mixture=None):
        return x * self.factor


X = np.ones((1, 2, 3), np.float32)
SIGMA = np.full((1, 2), 0.25, np.float32)


def test_calls_that_are_made_count_and_calls_that_are_skipped_are_only_reported():
    progress = Counter()
    calls = Calls(progress)
    calls.add()
    calls.skip(3)
    calls.add()
    assert calls.count == 2
    assert progress.units == [1, 3, 1]


def test_calls_of_several_threads_are_all_counted():
    calls = Calls(Counter())
    together = threading.Barrier(4, timeout=WAIT_SECONDS)

    def add_many():
        together.wait()
        for _ in range(500):
            calls.add()

    threads = [threading.Thread(target=add_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert calls.count == 2000


def test_a_watched_denoiser_gives_what_the_network_gives_and_counts():
    calls = Calls(Counter())
    watched = WatchedDenoiser(Denoiser(0.5), calls, chunk=7)
    np.testing.assert_array_equal(watched(X, SIGMA), 0.5 * X)
    assert (watched.takes_mixture, watched.shares_sigma) == (False, True)
    assert calls.count == 1


@pytest.mark.parametrize("factor", [np.nan, np.inf])
def test_what_is_not_a_number_is_an_error_that_names_the_call(factor):
    calls = Calls(Counter())
    denoiser = Denoiser()
    watched = WatchedDenoiser(denoiser, calls, chunk=7)
    watched(X, SIGMA)
    denoiser.factor = factor
    with pytest.raises(NonFiniteSamples, match=r"in chunk 7, call 1, sigma 0\.25"):
        watched(X, SIGMA)
    assert calls.count == 1


def test_the_next_call_after_a_stop_is_not_made():
    calls = Calls(Counter())
    watched = WatchedDenoiser(Denoiser(), calls, chunk=0)
    calls.stop()
    with pytest.raises(KeyboardInterrupt):
        watched(X, SIGMA)
    assert calls.count == 0


def test_a_progress_may_interrupt():
    class Interrupting(Counter):
        def advance(self, units=1):
            raise KeyboardInterrupt

    watched = WatchedDenoiser(Denoiser(), Calls(Interrupting()), chunk=0)
    with pytest.raises(KeyboardInterrupt):
        watched(X, SIGMA)


def test_what_a_network_is_told_reaches_it():
    class Told(Denoiser):
        def __call__(self, x, sigma, mixture=None, told=None):
            return x if told is None else x + told

    calls = Calls(Counter())
    watched = WatchedDenoiser(Told(), calls, 0)
    np.testing.assert_array_equal(watched(X, SIGMA), X)
    np.testing.assert_array_equal(watched(X, SIGMA, None, 2 * X), 3 * X)
    with pytest.raises(NonFiniteSamples, match="NaN or infinity in chunk 0, call 2"):
        watched(X, SIGMA, None, np.full_like(X, np.inf))
    assert calls.count == 2
