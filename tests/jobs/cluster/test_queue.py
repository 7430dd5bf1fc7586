from msdm_cli.jobs.cluster.queue import AGAIN_SECONDS, LOCKED_SECONDS, MOST_TRIES, Queue


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_jobs_come_in_order():
    queue = Queue("abc")
    assert [queue.take() for _ in range(4)] == ["a", "b", "c", None]
    assert not queue


def test_a_lost_job_is_the_next_one_and_is_given_up_after_three_tries():
    queue = Queue("ab")
    for _ in range(MOST_TRIES - 1):
        assert queue.take() == "a"
        assert queue.lose("a")
    assert queue.take() == "a"
    assert not queue.lose("a")
    assert queue.take() == "b"


def test_a_job_that_another_process_holds_waits_for_its_lock():
    clock = Clock()
    queue = Queue("ab", clock)
    assert queue.take() == "a"
    assert queue.refuse("a")
    assert len(queue) == 2
    assert queue.take() == "b"
    assert queue.take() is None
    clock.seconds = AGAIN_SECONDS
    assert queue.take() == "a"
    clock.seconds = LOCKED_SECONDS
    assert not queue.refuse("a")
