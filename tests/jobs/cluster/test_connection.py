import builtins
import os
import re
import signal
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from msdm_cli.errors import ClusterError, MissingPackage
from msdm_cli.jobs.cluster import connection
from msdm_cli.jobs.cluster.connection import LOCAL, connect, load_ray

MISMATCH = """Version mismatch: The cluster was started with:
    Ray: 2.9.0
This process was started with:
    Ray: 2.60.0
"""


class ToyRay:
    """Ray, as far as connecting goes."""

    def __init__(self, error=None):
        self.calls = []
        self.error = error

    def is_initialized(self):
        return False

    def init(self, **options):
        self.calls.append(options)
        signal.signal(signal.SIGTERM, lambda *arguments: None)
        if self.error:
            raise self.error

    def shutdown(self):
        self.calls.append("shutdown")


@pytest.fixture
def load_toy(monkeypatch):
    def load(error=None):
        ray = ToyRay(error)
        monkeypatch.setattr(connection, "load_ray", lambda: ray)
        return ray

    return load


def test_a_connection_ends_with_its_use_and_signals_stay_ours(load_toy):
    ray = load_toy()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), connect(LOCAL) as found:
        assert found is ray
        assert signal.getsignal(signal.SIGTERM) is before
        raise KeyboardInterrupt
    assert ray.calls[0]["address"] == LOCAL
    assert ray.calls[1:] == ["shutdown"]


def test_a_connection_that_is_there_stays(load_toy, monkeypatch):
    ray = load_toy()
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    with connect("auto"):
        pass
    assert ray.calls == []


def test_without_ray_an_error_says_how_to_install_it(monkeypatch):
    real_import = builtins.__import__

    def refuse(name, *arguments):
        if name.partition(".")[0] == "ray":
            raise ImportError("No module named 'ray'")
        return real_import(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingPackage) as found:
        load_ray()
    assert found.value.message == "a cluster needs Ray (No module named 'ray')"
    # What to install is what the project itself asks for; msdm-cli is on no index of packages.
    project = Path(__file__).parents[3] / "pyproject.toml"
    (needed,) = re.findall(r'^cluster = \["(.+)"\]', project.read_text("utf-8"), re.M)
    assert f"pip install '{needed}'" in found.value.remedy


def test_ray_tells_nobody_of_its_use(monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    for name in ("ray", "ray._private", "ray._private.worker"):
        module = SimpleNamespace(_private=SimpleNamespace(worker=SimpleNamespace()))
        monkeypatch.setitem(__import__("sys").modules, name, module)
    load_ray()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def find_free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_an_address_where_nothing_listens_is_refused_at_once(load_toy, form):
    ray = load_toy()
    address = form.format(find_free_port())
    with pytest.raises(ClusterError, match="no cluster answers"), connect(address):
        pass
    assert ray.calls == []


def test_the_address_of_the_environment_is_looked_at(load_toy, monkeypatch):
    load_toy()
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{find_free_port()}")
    with (
        pytest.raises(ClusterError, match=r"127\.0\.0\.1:\d+: no cluster answers"),
        connect("auto"),
    ):
        pass


@pytest.mark.parametrize("address", ["nonsense", "host:port", "host:", "127.0.0.1:99999999"])
def test_what_is_no_address_is_refused(load_toy, address):
    load_toy()
    with pytest.raises(ClusterError, match=address), connect(address):
        pass


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (ConnectionError("Could not find any\nrunning Ray"), "any running Ray", "ray start --head"),
        (RuntimeError(MISMATCH), "Ray: 2.9.0 This process", "same versions"),
    ],
)
def test_errors_of_ray_become_two_lines(load_toy, error, message, remedy):
    load_toy(error)
    with pytest.raises(ClusterError) as found, connect("auto"):
        pass
    assert message in found.value.message
    assert "\n" not in found.value.message
    assert remedy in found.value.remedy
