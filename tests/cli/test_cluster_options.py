import pytest
import typer

from msdm_cli.cli.cluster_options import choose_row, parse_resources
from msdm_cli.jobs.cluster.connection import Cluster
from msdm_cli.jobs.executors import EXECUTORS


def test_resources_are_named_as_ray_names_them():
    assert parse_resources("GPU=1, CPU=0.5,memory=4e9,mine=2") == {
        "GPU": 1.0,
        "CPU": 0.5,
        "memory": 4e9,
        "mine": 2.0,
    }


@pytest.mark.parametrize("text", ["", "GPU", "GPU=", "=1", "GPU=x", "GPU=0", "GPU=-1", "GPU=nan"])
def test_what_is_no_resource_is_refused(text):
    with pytest.raises(typer.BadParameter, match="is no resource"):
        parse_resources(text)


def test_without_a_cluster_jobs_run_here():
    assert choose_row(None, 1, None, None) is EXECUTORS["serial"]
    assert choose_row(None, 2, None, None) is EXECUTORS["threads"]
    assert choose_row("threads", 1, None, None) is EXECUTORS["threads"]


def test_a_cluster_is_told_to_its_executor():
    row = choose_row(None, 1, "head:6379", {"GPU": 1.0})
    assert not row.here
    assert row.run.keywords == {"cluster": Cluster("head:6379", {"GPU": 1.0})}
    assert choose_row("ray", 1, None, None).run.keywords == {"cluster": Cluster("auto")}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((None, 1, None, {"GPU": 1.0}), "needs --cluster"),
        (("threads", 1, "auto", None), "threads does not run on a cluster"),
        ((None, 2, "auto", None), "how many songs run at once"),
    ],
)
def test_contradictions_are_refused(asked, words):
    with pytest.raises(typer.BadParameter, match=words):
        choose_row(*asked)
