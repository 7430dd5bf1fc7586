import json
from pathlib import Path

import pytest
import typer
from conftest import run_by_post
from run_msdm import msdm

from msdm_cli.cli.cluster_options import choose_row, parse_resources
from msdm_cli.errors import ClusterError
from msdm_cli.jobs import executors
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
        (("serial", 2, None, None), "serial runs 1 song at a time"),
    ],
)
def test_contradictions_are_refused(asked, words):
    with pytest.raises(typer.BadParameter, match=words):
        choose_row(*asked)


@pytest.fixture
def by_post(monkeypatch):
    """A stand-in for a cluster, to which jobs go as letters; the clusters that were asked for."""
    asked = []

    def run(requests, work, workers, stop, cluster):
        asked.append(cluster)
        return run_by_post(requests, work, workers, stop)

    monkeypatch.setattr(executors, "run_on_cluster", run)
    return asked


@pytest.mark.parametrize("command", ["separate", "generate"])
def test_a_command_runs_on_a_cluster(tiny, by_post, write_song, tmp_path, command):
    jobs = {
        "separate": [write_song(f"{name}.wav", 0.3) for name in "ab"],
        "generate": ["--variations", 2, "--seconds", 0.5],
    }[command]
    options = ("--model", "tiny", "--device", "cpu", "--precision", "fp32", "--seed", 1)
    there = ("--cluster", "head:6379", "--cluster-resources", "CPU=2")
    elsewhere = msdm(command, *jobs, "-o", tmp_path / "there", "--json", *options, *there)
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert by_post == [Cluster("head:6379", {"CPU": 2.0})]
    here = msdm(command, *jobs, "-o", tmp_path / "here", "--json", *options)
    for one, other in zip(json.loads(elsewhere.stdout), json.loads(here.stdout), strict=True):
        bass = [Path(made["files"]["bass"]).read_bytes() for made in (one, other)]
        assert bass[0] == bass[1]


def test_a_cluster_that_does_not_answer_is_two_lines(tiny, write_song, tmp_path, monkeypatch):
    def refuse(*given, cluster):
        raise ClusterError(f"{cluster.address}: no cluster answers", "Start one.")

    monkeypatch.setattr(executors, "run_on_cluster", refuse)
    result = msdm("separate", write_song(seconds=0.2), "--model", "tiny", "--cluster", "head:1")
    result.assert_two_lines("head:1: no cluster answers", "Start one.")
