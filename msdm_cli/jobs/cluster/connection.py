"""The connection to a Ray cluster."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msdm_cli.errors import ClusterError, MissingPackage

AUTO = "auto"
"""The cluster that runs on this machine, or that the environment names."""

LOCAL = "local"
"""A cluster of this machine alone, for as long as the jobs take."""

REACH_SECONDS = 5.0
"""How long a machine may take to answer. Ray itself waits for two minutes."""

QUIET = {
    # Ray would tell its makers how it is used.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray says on stderr that a future version will do this.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
START = "Start one with ray start --head, or name its address."
SAME_VERSIONS = "Install the same versions on all machines."


@dataclass(frozen=True)
class Cluster:
    """Which cluster, and what a worker takes of it.

    Attributes:
        address: ``auto``, ``local``, or what Ray takes for an address.
        resources: Of a worker, by the names that Ray has for them; if empty, a GPU or some cores.
    """

    address: str = AUTO
    resources: Mapping[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def connect(address: str) -> Iterator[Any]:
    """Connect to a cluster; a connection that is there already stays afterwards.

    Yields:
        The module ray.

    Raises:
        MissingPackage: Ray is not installed.
        ClusterError: No cluster answers, or it has other versions.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    _check_reachable(address)
    with _keep_signals():
        _init(ray, address)
    try:
        yield ray
    finally:
        ray.shutdown()


def load_ray() -> Any:
    """The module ray, made quiet.

    Raises:
        MissingPackage: It is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray._private.worker as worker
    except ImportError as error:
        raise MissingPackage(
            f"a cluster needs Ray ({error})", "Run pip install 'ray>=2.9'."
        ) from error
    # What Ray says of lost workers goes to stdout, which has the summary; no setting stops it.
    worker.print_to_stdstream = lambda *data, **options: None
    return ray


def _init(ray: Any, address: str) -> None:
    own = {"include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="FATAL", **own)
    except (OSError, RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())
        if "version mismatch" in text.lower():
            raise ClusterError(f"{address}: {text}", SAME_VERSIONS) from error
        raise ClusterError(f"{address}: no cluster to connect to ({text})", START) from error


def _check_reachable(address: str) -> None:
    """Refuse an address where nothing listens.

    Raises:
        ClusterError: It does not answer.
    """
    asked = os.environ.get("RAY_ADDRESS", address) if address == AUTO else address
    host, colon, port = asked.rpartition("://")[2].rpartition(":")
    if not colon and asked in (AUTO, LOCAL):
        return
    try:
        if not port.isdecimal():
            raise ValueError("an address is HOST:PORT, such as 10.0.0.1:6379")
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ClusterError(f"{asked}: no cluster answers ({error})", START) from error


@contextlib.contextmanager
def _keep_signals() -> Iterator[None]:
    """Undo that Ray handles SIGTERM: the program has handlers of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
