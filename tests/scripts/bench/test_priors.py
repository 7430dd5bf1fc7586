"""The paper's ways to separate, on small networks with random weights."""

import dataclasses
import json

import pytest
import torch
from conftest import STEMS, TINY, tiny_network
from safetensors.torch import save_file

from scripts.bench import priors


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Runs that are trained by saying so."""

    def train_all(variants, data, start, jobs):
        for number, (name, variant) in enumerate(variants.items()):
            config = dataclasses.replace(TINY, stems=1 if name in STEMS else len(STEMS))
            variant.run.mkdir(parents=True)
            (variant.run / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
            weights = tiny_network(number, config).state_dict()
            save_file(weights, variant.run / "best.safetensors")
        errors = {f"denoise_{sigma}": sigma for sigma in (0.05, 0.3, 1.0)}
        return {
            name: {"step": int(variant.arguments[3]), "minutes": 1.0, **errors}
            for name, variant in variants.items()
        }

    monkeypatch.setattr(priors, "train_all", train_all)
    torch.manual_seed(0)
    return tmp_path / "runs"


def test_ten_ways_separate_differently(runs, songs, tmp_path):
    output = tmp_path / "priors.md"
    options = {"steps": 8, "training": "", "num_steps": 3, "songs": 1, "seconds": 5.0}
    priors.main(songs, runs, **options, output=output)
    lines = [line for line in output.read_text().splitlines() if line.startswith("| ")]
    rows = [line.strip("| ").split(" | ") for line in lines]
    networks = {row[0]: row[1] for row in rows[1:7]}
    assert networks == {"joint": "8", "with the mixture": "8"} | dict.fromkeys(STEMS, "2")
    methods = rows[8:]
    calls = {row[0]: row[1] for row in methods}
    assert len(methods) == len(calls) == 10
    assert calls["per stem, dirac"] == calls["joint, gaussian"] == "3"
    assert calls["per stem, gaussian, with correction"] == "6"
    assert calls["with the mixture, ours"] == "1"
    assert len({tuple(row[2:]) for row in methods}) == 10
