"""Small models for the command line."""

from dataclasses import replace

import pytest
import torch
from conftest import FIVE_STEMS, make_tiny_model
from run_msdm import store_tiny_cascade, store_tiny_model

from msdm_cli.cli.beside import Beside
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.msdm_paper import DiracOptions

DIRAC = Preset("dirac", DiracOptions(num_steps=2, sigma_max=1.0, churn=20.0))


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory, tiny_cascade, cascade_networks):
    """A cache with four models.

    ``tiny``, ``quintet`` of five stems, ``paper`` with a sampler, and ``tiny-cascade``, which
    sketches first.
    """
    cache = tmp_path_factory.mktemp("cache")
    store_tiny_model(cache)
    store_tiny_model(cache, "quintet", FIVE_STEMS)
    spec = make_tiny_model().spec
    separation = {**spec.stage.presets["separate"], "dirac": DIRAC}
    stage = replace(spec.stage, presets={"separate": separation, "impute": {}, "generate": {}})
    store_tiny_model(cache, "paper", stages=(stage,))
    store_tiny_cascade(cache, tiny_cascade.spec, cascade_networks)
    return cache


@pytest.fixture
def tiny(tiny_cache, monkeypatch):
    """Makes the small models available by name."""
    monkeypatch.setenv("MSDM_CACHE", str(tiny_cache))
    return tiny_cache


@pytest.fixture
def pages():
    """Has pages written beside results. Other tests do without them, and are faster."""


@pytest.fixture(autouse=True)
def fewer_pages(request, monkeypatch):
    if "pages" not in request.fixturenames:
        monkeypatch.setattr(Beside, "add", lambda self, result: ())
        monkeypatch.setattr(Beside, "compare", lambda self, results: ())


@pytest.fixture(autouse=True)
def same_threads():
    """Gives back the number of threads, which is part of a job's identity, as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
