"""Options that say where jobs run: here, or on the machines of a cluster."""

import dataclasses
import math
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.options import MACHINES

if TYPE_CHECKING:
    from msdm_cli.jobs.executors import Executor

ON_CLUSTER = "ray"
"""The row of the table of executors that ``--cluster`` chooses."""


def parse_resources(text: str) -> dict[str, float]:
    """What each worker takes, from ``GPU=1,CPU=4``.

    Raises:
        BadParameter: It is no such list.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, amount = (word.strip() for word in part.partition("="))
        try:
            found[name] = float(amount)
        except ValueError:
            found[name] = math.nan
        if not name or not 0 < found[name] < math.inf:
            raise typer.BadParameter(f"{part} is no resource: write GPU=1,CPU=4")
    return found


ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        rich_help_panel=MACHINES,
        help="Run on a Ray cluster: auto finds the one of this machine, local starts one here, "
        "HOST:PORT is elsewhere. All machines need msdm and the same folders. It needs Ray: pip "
        "install 'ray>=2.9'.",
    ),
]
ResourcesOption = Annotated[
    dict[str, float] | None,
    typer.Option(
        "--cluster-resources",
        metavar="NAME=N,...",
        parser=parse_resources,
        rich_help_panel=MACHINES,
        help="What each worker takes, as Ray names it, such as GPU=1,CPU=4. A GPU by default; "
        "without one, a core, or as many as --threads.",
    ),
]


def choose_row(
    name: str | None,
    jobs: int,
    address: str | None,
    resources: dict[str, float] | None,
) -> "Executor":
    """What runs the jobs.

    Args:
        name: Of an executor, if one was asked for.
        jobs: How many run at once here.
        address: Of a cluster, if one was asked for.
        resources: What a worker on it takes.

    Raises:
        BadParameter: Options contradict each other.
    """
    from msdm_cli.jobs.cluster.connection import AUTO, Cluster
    from msdm_cli.jobs.executors import choose_executor, run_on_cluster

    if address is None and name != ON_CLUSTER:
        if resources:
            raise typer.BadParameter("needs --cluster", param_hint="--cluster-resources")
        row = choose_executor(name, jobs)
        if row.most_workers is not None and jobs > row.most_workers:
            raise typer.BadParameter(
                f"{name} runs {row.most_workers} song at a time", param_hint="--jobs"
            )
        return row
    if name not in (None, ON_CLUSTER):
        raise typer.BadParameter(f"{name} does not run on a cluster", param_hint="--executor")
    if jobs > 1:
        raise typer.BadParameter(
            "--cluster-resources decide how many songs run at once", param_hint="--jobs"
        )
    row = choose_executor(ON_CLUSTER, jobs)
    cluster = Cluster(address or AUTO, resources or {})
    return dataclasses.replace(row, run=partial(run_on_cluster, cluster=cluster))
