"""What a worker takes of a cluster, in the names that Ray has for it, and how many find room."""

from collections.abc import Iterable, Mapping
from typing import Any

from msdm_cli.errors import ClusterError

Resources = Mapping[str, float]

OPTIONS = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
"""Resources that are options of their own of a Ray actor."""


def choose_resources(nodes: Iterable[Mapping[str, Any]], device: str, threads: int) -> Resources:
    """What a worker takes if nobody says it: a GPU where there are some, or its threads' cores.

    Args:
        nodes: The machines, as ``ray.nodes()`` lists them.
        device: Where the network shall run.
        threads: Threads that were asked for; 0 if none were.
    """
    on_gpu = device == "auto" or device.startswith("cuda")
    if on_gpu and any(node["Resources"].get("GPU", 0) >= 1 for node in list_alive(nodes)):
        return {"GPU": 1.0}
    # As many processes of one thread are faster than one process of as many threads.
    return {"CPU": float(max(threads, 1))}


def list_alive(nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The machines that have not been lost."""
    return [node for node in nodes if node["Alive"]]


def count_room(nodes: Iterable[Mapping[str, Any]], need: Resources) -> int:
    """How many workers find room, if nobody else is there."""
    return sum(
        min(int(node["Resources"].get(name, 0) / amount) for name, amount in need.items())
        for node in list_alive(nodes)
    )


def check_room(nodes: Iterable[Mapping[str, Any]], need: Resources) -> None:
    """Refuse a need that no machine meets.

    Raises:
        ClusterError: It is more than any machine has.
    """
    nodes = list(nodes)
    if not count_room(nodes, need):
        alive = list_alive(nodes)
        most = {name: max(node["Resources"].get(name, 0) for node in alive) for name in need}
        raise ClusterError(
            f"no machine of the cluster has {describe(need)} for a worker; the largest has "
            f"{describe(most)}",
            "Ask for less for each worker, or add machines.",
        )


def describe(resources: Resources) -> str:
    """Resources as a person writes them: ``GPU=1,CPU=4``."""
    return ",".join(f"{name}={amount:g}" for name, amount in resources.items())


def to_options(need: Resources) -> dict[str, Any]:
    """The same as options of a Ray actor. What is not named, it does not take."""
    rest = {name: amount for name, amount in need.items() if name not in OPTIONS}
    options = {option: need.get(name, 0) for name, option in OPTIONS.items()}
    return {**options, "memory": options["memory"] or None, "resources": rest}
