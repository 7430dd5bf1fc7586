"""The state of a run."""

import json

import pytest
import torch
from conftest import TINY
from lightning_fabric import Fabric
from safetensors.torch import load_file

from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.options import TrainingOptions
from scripts.train.run import Run
from scripts.train.score_matching import ScoreMatching


@pytest.fixture
def run(tmp_path):
    network = StftUnet(TINY)
    options = TrainingOptions(ema_decay=0.9)
    run = Run(Fabric(accelerator="cpu"), tmp_path, network, ScoreMatching(network), options)
    run.begin_average()
    return run


class Figures:
    """A validation that gives figures in turn."""

    corpus = None

    def __init__(self, *figures):
        self.figures = list(figures)
        self.seen = []

    def score(self, network):
        self.seen.append(network.band_position.detach().clone())
        return {"figure": self.figures.pop(0), "si_sdri": 1.23456}


def test_the_best_averaged_weights_are_kept(run):
    with torch.no_grad():
        run.network.band_position.zero_()
    averaged = run.average["band_position"].clone()
    validation = Figures(1.0, 0.5)
    run.validate(validation)
    # The averaged weights are scored and kept, the trained ones are back afterwards.
    assert torch.equal(validation.seen[0], averaged)
    assert not run.network.band_position.any()
    run.average["band_position"] += 1
    run.validate(validation)
    assert run.best == 1.0
    kept = load_file(run.folder / "best.safetensors")
    assert torch.equal(kept["band_position"], averaged)
    lines = (run.folder / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["si_sdri"] for line in lines] == [1.235, 1.235]


def test_the_average_moves_faster_at_the_start(run):
    before = run.average["band_position"].clone()
    with torch.no_grad():
        run.network.band_position.copy_(before + 1)
    run.update_average()
    torch.testing.assert_close(run.average["band_position"], before + 0.9)
    run.step = 10_000
    run.update_average()
    torch.testing.assert_close(run.average["band_position"], before + 0.9 + 0.1 * 0.1)


def test_there_is_nothing_to_resume_in_a_new_folder(run):
    assert not run.resume()
    run.step = 7
    run.save()
    run.step = 0
    assert run.resume()
    assert run.step == 7
