"""Checkpoints of the authors' network."""

import numpy as np
import pytest
import torch
from conftest import CPU

from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.models.load import load
from scripts.peer import TINY, build_peer, list_sizes, main

pytest.importorskip("audio_diffusion_pytorch")


def test_a_size_has_the_authors_names():
    sizes = list_sizes(TINY)
    assert sizes["in_channels"] == 4
    assert sizes["attention_features"] == 8
    network = build_peer(TINY)
    out = network(torch.zeros(1, 4, 1024), torch.zeros(1))
    assert out.shape == (1, 4, 1024)


def test_a_checkpoint_becomes_a_model(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    paths = [tmp_path / f"{seed}.ckpt" for seed in range(4)]
    for seed, path in enumerate(paths):
        main(path, stems=1, seed=seed)
    adopt_checkpoints("per-stem", paths, "for a test", "none")
    model = load("per-stem", CPU)
    x = np.ones((1, 4, model.spec.length_multiple * 4), np.float32)
    denoised = model.denoisers[0](x, np.ones((1, 4), np.float32))
    # Four networks with different weights.
    assert len({stem.tobytes() for stem in denoised[0]}) == 4
