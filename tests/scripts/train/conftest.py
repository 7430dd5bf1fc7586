"""These tests need what ``pip install '.[training]'`` brings."""

from importlib.util import find_spec

import pytest
from conftest import tiny_prior
from safetensors.torch import save_file

collect_ignore_glob = [] if find_spec("lightning_fabric") else ["test_*.py"]


@pytest.fixture(scope="session")
def codes_path(tmp_path_factory):
    """Weights of a prior over sketches."""
    path = tmp_path_factory.mktemp("prior") / "prior.safetensors"
    save_file(tiny_prior().state_dict(), path)
    return path
