"""A storage elsewhere that is in memory, and one that refuses."""

import dataclasses
import shutil
from pathlib import Path

import fsspec
import pytest
from conftest import CPU, request_separation
from fsspec.implementations.memory import MemoryFileSystem
from run_msdm import store_tiny_model

from msdm_cli.jobs.remote.stage import STAGES
from msdm_cli.jobs.run import run_job
from msdm_cli.models.load import load


class Refusing(MemoryFileSystem):
    """A storage without rights, as S3 answers."""

    protocol = "refusing"
    cachable = False

    def _refuse(self, *arguments, **options):
        raise PermissionError("Access Denied")

    info = isdir = ls = find = glob = get_file = put_file = pipe_file = makedirs = _refuse


@pytest.fixture(autouse=True)
def refusing():
    fsspec.register_implementation("refusing", Refusing, clobber=True)


@pytest.fixture
def memory():
    """The storage ``memory://``, empty."""
    storage = fsspec.filesystem("memory")
    yield storage
    storage.store.clear()
    storage.pseudo_dirs[:] = [""]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache with the model ``tiny``."""
    folder = tmp_path_factory.mktemp("cache")
    store_tiny_model(folder)
    return folder


@pytest.fixture
def tiny(cache, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(cache))
    yield cache
    shutil.rmtree(cache / STAGES, ignore_errors=True)


@pytest.fixture
def model(tiny):
    """The model ``tiny``, with the digest of its weights."""
    return load("tiny", CPU)


@pytest.fixture
def song(write_song):
    return write_song(seconds=2.0, channels=1)


@pytest.fixture
def request_there(memory, model, song):
    """A job whose song and results lie in another storage."""
    memory.pipe_file("/in/song.wav", song.read_bytes())
    return request_separation(model, Path("memory://in/song.wav"), Path("memory://out"))


@pytest.fixture
def run(model):
    """Runs a job, and makes a page."""

    def run(local):
        result = run_job(local, model)
        page = result.manifest.with_name("index.html")
        page.write_text("page")
        return dataclasses.replace(result, beside=(page,))

    return run
