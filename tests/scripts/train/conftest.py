"""These tests need what ``pip install '.[training]'`` brings."""

import dataclasses
import json
from importlib.util import find_spec

import pytest
from conftest import tiny_prior
from safetensors.torch import save_file

collect_ignore_glob = [] if find_spec("lightning_fabric") else ["test_*.py"]


@pytest.fixture(scope="session")
def codes_path(tmp_path_factory):
    """Weights of a prior over sketches, beside their config."""
    folder = tmp_path_factory.mktemp("prior")
    network = tiny_prior()
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(network.config)))
    path = folder / "best.safetensors"
    save_file(network.state_dict(), path)
    return path
