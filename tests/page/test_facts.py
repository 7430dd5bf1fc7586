import pytest
from conftest import generate, request_generation, separate
from run_msdm import store_tiny_model

from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.run import run_job
from msdm_cli.page.facts import describe_sound, extend, list_commands, list_facts
from msdm_cli.tasks.controls import Controls


def test_facts_of_a_separation(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song("a song.wav", seconds=0.3), tmp_path / "stems")
    manifest = load_manifest(result.manifest)
    facts = dict(list_facts(manifest))
    assert facts["song"] == "a song.wav"
    assert facts["sum"] == "the stems sum to the song, exactly"
    assert facts["sampler"] == "regression"
    assert "seed" not in facts
    assert describe_sound(result.properties) == "44.1 kHz, stereo, PCM_16"
    commands = dict(list_commands(manifest, result.manifest, ["bass", "my drums"]))
    assert commands["check the files"] == "msdm check msdm.json"
    assert commands["leave a stem out"] == "msdm mix msdm.json --without 'my drums'"


@pytest.fixture
def take(tiny_model, tmp_path, monkeypatch):
    store_tiny_model(tmp_path / "cache")
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))

    def make(seconds, **fields):
        result = generate(tiny_model, tmp_path / str(seconds), seconds, seed=7, **fields)
        return load_manifest(result.manifest)

    return make


def test_a_take_of_a_chunk_is_extended_by_its_seed(take):
    manifest = take(0.74)
    command = "msdm generate --seed 7 --seconds 1.48 --model tiny -o longer"
    assert extend(manifest) == command
    assert dict(list_facts(manifest))["seed"] == "7"


def test_a_take_that_has_another_first_chunk_is_not(take, tiny_model, tmp_path):
    assert extend(take(0.3)) == ""
    assert extend(take(0.75, controls=Controls(tempo=100))) == ""
    assert extend(take(0.76, controls=Controls().filled(7))) != ""
    other = request_generation(
        tiny_model,
        tmp_path,
        0.74,
        preset=tiny_model.spec.preset("generate", "default").with_steps(2),
    )
    assert extend(load_manifest(run_job(other, tiny_model).manifest)) == ""
