"""Embeddings have the published shapes, and depend on what they shall."""

import numpy as np
import pytest
import torch

pytest.importorskip("librosa")

from scripts.bench import musicnn as module
from scripts.bench.musicnn import Musicnn, cut_windows

KERNELS = {
    "conv2d": (7, 38, 1, 204),
    "conv2d_1": (7, 67, 1, 204),
    "conv2d_2": (128, 1, 1, 51),
    "conv2d_3": (64, 1, 1, 51),
    "conv2d_4": (32, 1, 1, 51),
    "conv2d_5": (7, 561, 1, 64),
    "conv2d_6": (7, 64, 1, 64),
    "conv2d_7": (7, 64, 1, 64),
    "dense": (1506, 200),
}
NORMS = (1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200)
"""Shapes in the checkpoint of the package."""


@pytest.fixture
def network(monkeypatch):
    rng = np.random.default_rng(0)
    tensors = {}
    for name, shape in KERNELS.items():
        tensors[f"{name}/kernel"] = rng.standard_normal(shape, np.float32) * 0.05
        tensors[f"{name}/bias"] = rng.standard_normal(shape[-1], np.float32) * 0.05
    for number, size in enumerate(NORMS):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors[f"{name}/{part}"] = rng.random(size, np.float32) + 0.5
    monkeypatch.setattr(module, "load_checkpoint", lambda path: tensors)
    return Musicnn("anywhere.index")


def test_a_window_of_three_seconds_gives_an_embedding(network):
    sound = np.random.default_rng(1).standard_normal(22050 * 7).astype(np.float32)
    found = network.embed(sound, 22050)
    assert found.shape == (2, 200)
    assert np.isfinite(found).all()
    assert np.abs(found - network.embed(sound[::-1].copy(), 22050)).max() > 1e-3


def test_a_tone_is_in_its_band():
    time = np.arange(16000 * 4) / 16000
    windows = cut_windows(np.sin(2 * np.pi * 1000 * time).astype(np.float32), 16000)
    assert windows.shape == (1, 187, 96)
    # 1000 Hz is 15 mel of 45.2 (Slaney's scale up to 8 kHz), in 97 steps.
    assert int(torch.argmax(windows[0, 90])) == round(15 / 45.245 * 97) - 1


def test_the_package_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install --no-deps musicnn"):
        module.find_checkpoint()
