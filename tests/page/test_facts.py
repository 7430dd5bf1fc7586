import os
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import generate, separate
from run_msdm import store_tiny_model

from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.page.facts import (
    describe_music,
    describe_sound,
    extend,
    list_commands,
    list_facts,
)
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.hearing import Heard


def test_facts_of_a_separation(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song("a song.wav", seconds=0.3), tmp_path / "stems")
    manifest = load_manifest(result.manifest)
    facts = dict(list_facts(manifest))
    assert facts["song"] == "a song.wav"
    assert facts["sum"] == "the stems sum to the song, exactly"
    assert facts["sampler"] == "regression"
    assert "seed" not in facts
    assert "absent" not in facts
    assert facts["calls"].startswith(f"{result.calls} of the network, ")
    resumed = replace(manifest, facts=replace(manifest.facts, resumed=True))
    assert dict(list_facts(resumed))["calls"] == f"{facts['calls']}, since it was resumed"
    assert describe_sound(result.properties) == "44.1 kHz, stereo, PCM_16"
    commands = dict(list_commands(manifest, result.manifest, ["bass", "my drums"]))
    assert commands["check the files"] == "msdm check msdm.json"
    assert commands["leave a stem out"] == "msdm mix msdm.json --without 'my drums'"


def test_the_sampler_is_that_of_the_sketch_where_there_is_one(tiny_model, write_song, tmp_path):
    manifest = load_manifest(separate(tiny_model, write_song(seconds=0.3), tmp_path).manifest)
    for sketch, told in (
        ({"sampler": "consistent", "num_steps": 3}, "consistent"),
        ({"sampler": "chosen", "num_steps": 3, "candidates": 4}, "chosen, one of 4"),
    ):
        options = {**manifest.identity["options"], "sketch": sketch}
        drawn = replace(manifest, identity={**manifest.identity, "options": options})
        assert dict(list_facts(drawn))["sampler"] == told


def test_commands_name_no_bytes_that_are_no_unicode(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.3), tmp_path / "stems")
    path = result.manifest.with_name(os.fsdecode(b"caf\xe9 msdm.json"))
    assert list_commands(load_manifest(result.manifest), path, ["bass", "drums"]) == []


def test_what_was_said_to_be_absent_is_a_fact(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.3)
    result = separate(tiny_model, song, tmp_path / "stems", absent=("bass", "piano"))
    assert dict(list_facts(load_manifest(result.manifest)))["absent"] == "bass, piano"


def test_commands_find_the_inputs_from_the_folder_of_results(
    tiny_model, write_song, tmp_path, monkeypatch
):
    write_song("a song.wav", seconds=0.3)
    monkeypatch.chdir(tmp_path)
    result = separate(tiny_model, Path("a song.wav"), Path("stems"))
    manifest = load_manifest(result.manifest)
    commands = dict(list_commands(manifest, result.manifest, []))
    song = "'../../a song.wav'"
    assert commands["check the files"] == f"msdm check msdm.json {song}"
    assert commands["make them again, and compare"] == f"msdm rerun msdm.json --input {song}"
    # In the cache lies what will be sent elsewhere; and what is not there has no other name.
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    plain = ("check the files", "msdm check msdm.json")
    assert plain in list_commands(manifest, result.manifest, [])
    monkeypatch.delenv("MSDM_CACHE")
    Path("a song.wav").unlink()
    assert plain in list_commands(manifest, result.manifest, [])


@pytest.fixture
def take(tiny_model, tmp_path, monkeypatch):
    store_tiny_model(tmp_path / "cache")
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))

    def make(seconds, **fields):
        result = generate(tiny_model, tmp_path / str(seconds), seconds, seed=7, **fields)
        return load_manifest(result.manifest)

    return make


def test_a_take_goes_on_after_its_end(take):
    manifest = take(0.3)
    assert extend(manifest) == "msdm generate --extend . --seconds 0.3 --model tiny -o longer"
    assert "--extend 'a take'" in extend(manifest, "a take")
    assert dict(list_commands(manifest, Path("msdm.json"), []))["make it longer"] == extend(
        manifest
    )
    facts = dict(list_facts(manifest))
    assert facts["seed"] == "7"
    assert "music" not in facts


def test_music_is_described_as_it_was_asked_for(take):
    manifest = take(0.3, controls=Controls(tempo=100, key="A minor", style="funk"))
    assert describe_music(manifest) == "funk, 100 bpm, A minor"
    assert dict(list_facts(manifest))["music"] == "funk, 100 bpm, A minor"
    manifest = take(0.4, controls=Controls(key="C major"))
    assert describe_music(manifest) == "C major"
    facts = replace(manifest.facts, heard=Heard(tempo=136.03))
    assert describe_music(replace(manifest, facts=facts)) == "136 bpm, C major"


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ({"mixture_only": True, "stay": ("drums",)}, "on the mixture alone"),
        ({"stay": ("drums",)}, "on all but drums, so that nothing clips"),
        ({}, "so that nothing clips"),
    ],
)
def test_a_gain_is_a_fact_with_what_it_is_on(take, where, why):
    manifest = take(0.3)
    softer = replace(manifest, facts=replace(manifest.facts, gain=0.5, gain_db=-6.02, **where))
    assert dict(list_facts(softer))["gain"] == f"-6.02 dB, {why}"


def test_what_was_separated_has_no_music_and_goes_on_nowhere(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.3), tmp_path / "stems")
    manifest = load_manifest(result.manifest)
    assert describe_music(manifest) == extend(manifest) == ""
