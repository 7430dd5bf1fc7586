"""The command that trains: it learns, resumes bit for bit, and its runs become models."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
import typer
from safetensors.torch import load_file

from msdm_cli.backends.runtime import Runtime
from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.models.load import load
from msdm_cli.tasks.controls import count_features
from scripts.train import envelope_matching, initial, paper, sketch_matching, validation
from scripts.train.__main__ import main
from scripts.train.recipes import RECIPES

SMALL = {"channels": [8, 32], "blocks": [1, 1], "heads": 1}
SMALL_UNET1D = {
    "channels": 32,
    "patch_factor": 4,
    "multipliers": [1, 1],
    "factors": [8],
    "num_blocks": [1],
    "attentions": [False],
    "heads": 1,
    "head_features": 8,
}
SMALL_PRIOR = {"coefficients": 6, "width": 8, "layers": 1, "heads": 2}
LENGTH = 16384
TOKENS = 16
PRIOR = {"questions": {"regress": 0, "refine": 0, "refine_known": 0, "impute": 0}}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few crops; and denormal numbers, which the trainer flushes, as other tests expect them."""
    monkeypatch.setattr(initial, "SD_CROPS", 4)
    monkeypatch.setattr(validation, "CROPS", 6)
    monkeypatch.setattr(paper, "CROPS", 4)
    monkeypatch.setattr(sketch_matching, "CROPS", 3)
    monkeypatch.setattr(envelope_matching, "CROPS", 2)
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def train(songs, tmp_path):
    """Trains in this process, and gives what the checkpoint holds."""

    def run(name, steps, config=SMALL, **options):
        size = None
        if config:
            size = tmp_path / "config.json"
            size.write_text(json.dumps(config))
        settings = {"batch": 1, "decay_steps": 1, "validate_every": 2, "accelerator": "cpu"}
        settings |= {"length": LENGTH, "validation_length": LENGTH}
        main(songs, tmp_path / name, steps=steps, config=size, **settings | options)
        return torch.load(tmp_path / name / "last.ckpt", weights_only=True)

    return run


def assert_same(one, other):
    for kind in ("network", "average"):
        assert one[kind].keys() == other[kind].keys()
        for name, value in one[kind].items():
            assert torch.equal(value, other[kind][name]), name


@pytest.mark.parametrize("muon", [False, True])
def test_a_resumed_run_is_the_undisturbed_one(train, tmp_path, muon):
    changes = json.dumps({"options": {"muon": muon}})
    whole = train("whole", 4, changes=changes)
    train("stopped", 2, changes=changes)
    resumed = train("stopped", 4, changes=changes)
    assert resumed["step"] == whole["step"] == 4
    assert_same(whole, resumed)
    assert set(load_file(tmp_path / "whole" / "best.safetensors")) == set(whole["average"])
    assert len(whole["optimizers"]) == 1 + muon


def test_two_processes_resume_bit_for_bit_on_one_machine_or_two(songs, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(SMALL))

    def start(name, steps, machines, rank):
        command = [sys.executable, "-m", "scripts.train", songs, tmp_path / name]
        command += ["--steps", steps, "--batch", 1, "--decay-steps", 1, "--validate-every", 2]
        command += ["--config", tmp_path / "config.json", "--accelerator", "cpu"]
        command += ["--length", 8192, "--validation-length", 8192]
        command += ["--devices", 2 // machines, "--num-nodes", machines]
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": str(rank)}
        environment = {**os.environ, **(place if machines > 1 else {})}
        return subprocess.Popen(list(map(str, command)), env=environment)

    def train(name, steps, machines):
        running = [start(name, steps, machines, rank) for rank in range(machines)]
        assert [one.wait(600) for one in running] == [0] * machines
        return torch.load(tmp_path / name / "last.ckpt", weights_only=True)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    whole = train("whole", 2, machines=1)
    train("stopped", 1, machines=1)
    assert_same(whole, train("stopped", 2, machines=2))


def test_a_run_keeps_its_size_and_others_start_from_its_spectra(train, tmp_path):
    first = train("run", 2)
    assert train("run", 3, config=None)["step"] == 3
    best = tmp_path / "run" / "best.safetensors"
    started = train("started", 1, initial=best, seed=5)
    assert torch.equal(started["network"]["sd"], first["network"]["sd"])
    with pytest.raises(typer.BadParameter, match="weights of another network"):
        train("other", 1, config=SMALL | {"channels": [8, 16]}, initial=best)


@pytest.mark.parametrize("architecture", ["stft_unet", "sketch_prior", "sketch_envelope"])
def test_one_stem_alone_is_not_asked_how_stems_relate(train, tmp_path, architecture):
    with pytest.raises(typer.BadParameter, match="needs a --recipe"):
        train("run", 1, stem="bass", architecture=architecture)
    assert not (tmp_path / "run").exists()


def test_an_architecture_without_a_recipe_is_refused(train):
    with pytest.raises(typer.BadParameter, match=f"expected {', '.join(RECIPES)}, got mlp"):
        train("run", 1, architecture="mlp")


def test_envelopes_of_sketches_need_a_prior_over_sketches(train, tmp_path):
    with pytest.raises(typer.BadParameter, match="needs the weights of a sketch_prior") as caught:
        train("run", 1, config=None, architecture="sketch_envelope")
    assert caught.value.param_hint == "--codes"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("stem", [None, "bass"])
def test_a_prior_alone_is_chosen_by_how_it_denoises(train, tmp_path, stem):
    train("run", 2, changes=json.dumps(PRIOR), stem=stem)
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert last["denoise_0.3"] > 0
    assert "si_sdri" not in last
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_the_papers_network_is_trained_resumed_and_imported(train, tmp_path, monkeypatch):
    once = train("once", 4, SMALL_UNET1D, architecture="unet1d")
    train("twice", 2, SMALL_UNET1D, architecture="unet1d")
    assert_same(once, train("twice", 4, SMALL_UNET1D, architecture="unet1d"))
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    adopt_checkpoints("mine", [tmp_path / "once"], "for a test", "none")
    model = load("mine", Runtime(device="cpu"))
    assert model.spec.stage.architecture == "unet1d"
    best = load_file(tmp_path / "once" / "best.safetensors")
    assert torch.equal(model.denoisers[0].network.frequencies, best["frequencies"])


def test_one_stem_of_the_papers_network_is_trained_by_itself(train):
    state = train("bass", 2, SMALL_UNET1D, architecture="unet1d", stem="bass")
    assert state["network"]["patch.conv_in.weight"].shape[1] == 1


@pytest.mark.parametrize("joined", [True, False])
def test_a_prior_over_sketches_is_trained_and_resumed(train, tmp_path, joined):
    lengths = {"length": TOKENS, "validation_length": TOKENS, "architecture": "sketch_prior"}
    config = SMALL_PRIOR | {"joined": joined}
    once = train("once", 4, config, **lengths)
    train("twice", 2, config, **lengths)
    assert_same(once, train("twice", 4, config, **lengths))
    last = json.loads((tmp_path / "once" / "log.jsonl").read_text().splitlines()[-1])
    assert last["loss_5"] > 0
    assert {"own_bass", "gap_bass", "gap_piano"} <= last.keys()
    best = load_file(tmp_path / "once" / "best.safetensors")
    assert torch.equal(best["basis"], once["network"]["basis"])
    assert best["basis"].any()


def test_a_network_that_guesses_envelopes_goes_on_where_it_stopped(train, codes_path):
    asked = {"architecture": "sketch_envelope", "codes": codes_path}
    once = train("once", 4, {"hidden": 8}, **asked)
    train("twice", 2, {"hidden": 8}, **asked)
    assert_same(once, train("twice", 4, {"hidden": 8}, **asked))


def test_one_stem_of_a_sketch_is_trained_by_itself(train):
    alone = json.dumps({"questions": {"impute": 0}})
    lengths = {"length": TOKENS, "validation_length": TOKENS, "architecture": "sketch_prior"}
    config = SMALL_PRIOR | {"controls": count_features(1)}
    state = train("bass", 1, config, stem="bass", changes=alone, **lengths)
    assert len(state["network"]["basis"]) == 1
