"""Whole songs, of stems that are quick to make."""

from random import Random

import numpy as np
import pytest

from scripts.dataset import render
from scripts.dataset.score import SAMPLE_RATE_HZ, STEMS, Note, Part, Song
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


@pytest.mark.usefixtures("varied")
def test_every_third_song_is_the_one_before_it_in_crossed_roles(monkeypatch):
    asked = []

    def compose(seed):
        asked.append(seed)
        note = Note(0.5, 0.5, 60, 90)
        parts = {stem: Part([note], kinds=[stem]) for stem in STEMS}
        return Song(parts, 2.0, "test", "test", 120.0, "C", "4/4")

    monkeypatch.setattr(render, "compose", compose)
    for index in range(3):
        render.compose_song(f"0/train/{index}", Random(0))
        song = render.compose_paired(f"0/train/{index}")
        kinds = song.parts["guitar"].kinds + song.parts["piano"].kinds
        assert kinds == (["piano", "guitar"] if index == 2 else ["guitar", "piano"])
    names = ["0", "0", "1", "1", "2", "1"]
    assert asked == [f"0/train/{name}/composer" for name in names]


def test_the_composer_is_drawn_before_the_level(monkeypatch):
    monkeypatch.setattr(render, "accompany", lambda seed: seed)
    monkeypatch.setattr(render, "compose", lambda seed: seed)
    rng = Random(5)
    first = Random(5).random()
    expected = "x/mma" if first < render.MMA_SHARE else "x/composer"
    assert render.compose_song("x", rng) == expected
    again = Random(5)
    again.random()
    assert rng.random() == again.random()
