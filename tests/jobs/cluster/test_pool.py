import pytest

from msdm_cli import __version__
from msdm_cli.errors import ClusterError
from msdm_cli.jobs.cluster import pool as pool_module
from msdm_cli.jobs.cluster.pool import Lost, Pool, explain
from msdm_cli.jobs.cluster.worker import Worker

ONE_CORE = {"CPU": 1.0}


def work(name, request):
    return name


@pytest.fixture
def pool(toy_ray):
    return Pool(toy_ray, ONE_CORE, work)


def start(pool, jobs):
    pool.grow(jobs)
    while pool._starting:
        assert list(pool.wait(0)) == []


def welcome_all(pool):
    """See how workers start, while others run."""
    for reference, actor in [*pool._starting.items()]:
        del pool._starting[reference]
        pool._welcome(actor, reference)


def test_there_are_no_more_workers_than_jobs_and_room(toy_ray, pool):
    start(pool, 1)
    assert (pool.idle, toy_ray.started) == (1, 1)
    start(pool, 9)
    assert (pool.idle, toy_ray.started) == (2, 2)
    toy_ray.machines.append({"Alive": True, "Resources": {"CPU": 3.0}})  # a machine that has come
    start(pool, 9)
    assert (pool.idle, toy_ray.started) == (5, 5)
    assert toy_ray.options == {
        "max_restarts": 0,
        "num_cpus": 1.0,
        "num_gpus": 0,
        "memory": None,
        "resources": {},
    }


def test_a_job_ends_with_its_machine_and_the_number_of_workers(pool):
    start(pool, 2)
    pool.give("a", None)
    assert (pool.idle, pool.busy) == (1, 1)
    (ended,) = pool.wait(0)
    assert (ended.name, ended.result, ended.workers) == ("a", "a", 2)
    assert ended.machine
    assert (pool.idle, pool.busy) == (2, 0)


def test_a_lost_worker_is_replaced(toy_ray, pool):
    toy_ray.kills["a"] = 1
    start(pool, 1)
    pool.give("a", None)
    (lost,) = pool.wait(0)
    assert isinstance(lost, Lost)
    assert (lost.name, lost.reason) == ("a", "its machine was lost")
    assert (pool.idle, pool.busy) == (0, 0)
    start(pool, 1)
    assert (pool.idle, toy_ray.started) == (1, 2)


def test_workers_that_never_start_end_the_batch(toy_ray, pool):
    toy_ray.fails_to_start = True
    with pytest.raises(ClusterError, match=r"workers do not start .*no module msdm_cli"):
        for _ in range(9):
            start(pool, 1)
    assert toy_ray.started == 3


def test_a_machine_with_another_version_ends_the_batch(pool, monkeypatch):
    monkeypatch.setattr(Worker, "introduce", lambda self: ("0.0.1", "node-7"))
    with pytest.raises(ClusterError, match=rf"node-7 has msdm 0\.0\.1.*{__version__}"):
        start(pool, 1)


def test_a_machine_that_is_of_no_use_does_not_end_what_others_do(
    toy_ray, pool, monkeypatch, caplog
):
    start(pool, 1)
    pool.give("a", None)
    toy_ray.machines.append({"Alive": True, "Resources": {"CPU": 1.0}})
    with caplog.at_level("INFO"):
        toy_ray.fails_to_start = True
        for _ in range(4):
            pool.grow(2)
            welcome_all(pool)
        toy_ray.fails_to_start = False
        monkeypatch.setattr(Worker, "introduce", lambda self: ("0.0.1", "node-7"))
        pool.grow(2)
        welcome_all(pool)
    starts, versions = caplog.messages
    assert starts.startswith("workers do not start on the cluster (no module msdm_cli)")
    assert versions.startswith("node-7 has msdm 0.0.1")
    assert (pool.busy, len(toy_ray.alive)) == (1, 1)
    (ended,) = pool.wait(0)
    assert ended.result == "a"


def test_no_worker_stays_behind(toy_ray, pool):
    start(pool, 2)
    pool.give("a", None)
    toy_ray.machines[0]["Resources"]["CPU"] = 3.0
    pool.grow(3)  # one that is starting
    assert len(toy_ray.alive) == 3
    pool.close()
    assert toy_ray.alive == []


def test_whoever_waits_for_a_machine_is_told_so(toy_ray, pool, monkeypatch, caplog):
    monkeypatch.setattr(pool_module, "WAITING_SECONDS", -1.0)
    monkeypatch.setattr(toy_ray, "wait", lambda references, timeout: ([], references))
    pool.grow(1)
    with caplog.at_level("INFO"):
        assert list(pool.wait(0)) == list(pool.wait(0)) == []
    assert caplog.messages == ["waiting for a machine of the cluster with CPU=1"]


def test_without_any_machine_it_is_said_too(toy_ray, pool, monkeypatch, caplog):
    monkeypatch.setattr(pool_module, "WAITING_SECONDS", -1.0)
    toy_ray.machines[0]["Alive"] = False
    pool.grow(1)
    with caplog.at_level("INFO"):
        assert list(pool.wait(0)) == []
    assert caplog.messages == ["waiting for a machine of the cluster with CPU=1"]


def test_long_texts_of_ray_become_a_line():
    died = "The actor died.\nWorker exit detail: End of file. Some common causes include: (1) ..."
    assert explain(Exception(died)) == "its process has died"
    assert explain(Exception("one\nlast line")) == "last line"
    error = Exception("long traceback")
    error.cause = RuntimeError("CUDA\n error")
    assert explain(error) == "RuntimeError: CUDA error"
    assert explain(Exception()) == "Exception"
