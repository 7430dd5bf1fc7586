"""Whole songs, of stems that are quick to make."""

import numpy as np
import pytest

from scripts.dataset import render
from scripts.dataset.score import SAMPLE_RATE_HZ, STEMS
from scripts.dataset.stem import StemRenderer


@pytest.fixture
def varied(monkeypatch):
    """Stems of noise; whether each was asked to be varied."""
    seen = []

    def play(renderer):
        seen.append(renderer.varied)
        length = round(renderer.song.duration_seconds * SAMPLE_RATE_HZ)
        noise = np.random.default_rng(len(seen)).uniform(-1, 1, length)
        return noise.astype(np.float32), {"level_db": -6.0}

    monkeypatch.setattr(StemRenderer, "render", play)
    monkeypatch.setattr(render, "MMA_SHARE", 0.0)
    return seen


@pytest.mark.parametrize("split", ["train", "validation"])
def test_only_training_is_varied(varied, tmp_path, split):
    render.render_song(f"0/{split}/0", split, tmp_path)
    assert set(varied) == {split == "train"}


@pytest.mark.usefixtures("varied")
def test_neither_stems_nor_their_sum_clip_and_the_end_fades(tmp_path):
    for index in range(4):
        stems, metadata = render.render_song(f"0/train/{index}", "train", tmp_path)
        peak = max(np.abs(stems).max(), np.abs(stems.sum(0)).max())
        assert 10 ** (-8 / 20) * 0.95 <= peak <= 0.95 * (1 + 1e-6)
        assert not stems[:, -1].any()
        assert metadata["duration_seconds"] == round(stems.shape[1] / SAMPLE_RATE_HZ, 3)
        assert set(metadata["stems"]) <= set(STEMS)
        # All stems have one gain.
        levels = {detail["level_db"] for detail in metadata["stems"].values()}
        assert len(levels) == 1
