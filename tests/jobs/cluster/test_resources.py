import pytest

from msdm_cli.errors import ClusterError
from msdm_cli.jobs.cluster.resources import (
    check_room,
    choose_resources,
    count_room,
    describe,
    to_options,
)


def make_node(alive=True, **resources):
    return {"Alive": alive, "Resources": {name: float(n) for name, n in resources.items()}}


CORES = [make_node(CPU=2), make_node(CPU=5), make_node(alive=False, CPU=64)]
GPUS = [*CORES, make_node(CPU=8, GPU=2)]


@pytest.mark.parametrize(
    ("nodes", "device", "threads", "need"),
    [
        (GPUS, "auto", 0, {"GPU": 1}),
        (GPUS, "cuda", 0, {"GPU": 1}),
        (GPUS, "cpu", 0, {"CPU": 1}),
        (CORES, "auto", 0, {"CPU": 1}),
        (CORES, "auto", 4, {"CPU": 4}),
    ],
)
def test_a_worker_takes_a_gpu_or_the_cores_of_its_threads(nodes, device, threads, need):
    assert choose_resources(nodes, device, threads) == need


def test_machines_that_were_lost_have_no_room():
    assert count_room(CORES, {"CPU": 1}) == 7
    assert count_room(CORES, {"CPU": 2}) == 3
    assert count_room(CORES, {"CPU": 0.5}) == 14
    assert count_room(GPUS, {"GPU": 1, "CPU": 3}) == 2


def test_a_need_that_no_machine_meets_is_refused():
    check_room(CORES, {"CPU": 5})
    with pytest.raises(ClusterError, match=r"no machine .* has GPU=1,CPU=6 .* has GPU=0,CPU=5$"):
        check_room(CORES, {"GPU": 1, "CPU": 6})


def test_resources_are_options_of_an_actor():
    assert to_options({"GPU": 1, "memory": 4e9, "mine": 2}) == {
        "num_cpus": 0,
        "num_gpus": 1,
        "memory": 4e9,
        "resources": {"mine": 2},
    }
    assert to_options({"CPU": 1})["memory"] is None
    assert describe({"GPU": 1.0, "CPU": 0.5}) == "GPU=1,CPU=0.5"
