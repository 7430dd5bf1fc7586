"""Whole songs, of stems that are quick to make."""

from random import Random
from types import SimpleNamespace

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


def test_the_stems_of_a_song_have_one_tuning(varied, monkeypatch, tmp_path):
    play = StemRenderer.render
    tunings = []

    def listen(renderer):
        tunings.append(renderer.tuning_cents)
        return play(renderer)

    monkeypatch.setattr(StemRenderer, "render", listen)
    songs = []
    for index in range(4):
        tunings.clear()
        render.render_song(f"0/train/{index}", "train", tmp_path)
        (tuning,) = set(tunings)
        assert abs(tuning) <= render.TUNING_CENTS
        songs.append(tuning)
    assert len(set(songs)) == 4


@pytest.mark.usefixtures("varied")
def test_two_songs_of_ten_have_the_notes_of_the_one_before_them(monkeypatch, tmp_path):
    asked = []
    arranged = []

    def compose(seed):
        asked.append(seed)
        note = Note(0.5, 0.5, 60, 90)
        parts = {stem: Part([note], kinds=[stem]) for stem in STEMS}
        song = Song(parts, 2.0, "test", "test", 120.0, "C", "4/4")
        return SimpleNamespace(song=song)

    def arrange(composition, seed):
        arranged.append(seed)
        return composition.song

    crossed = []
    monkeypatch.setattr(render, "compose", compose)
    monkeypatch.setattr(render, "arrange", arrange)
    monkeypatch.setattr(render, "cross_roles", lambda song: crossed.append(True) or song)
    for index in (3, 4, 8, 9):
        _, metadata = render.render_song(f"0/train/{index}", "train", tmp_path)
        assert metadata["notes_of"] == arranged[-1]
        assert metadata["crossed"] == (index == 9)
    assert arranged == ["0/train/3", "0/train/3", "0/train/8", "0/train/8"]
    assert asked == [f"{seed}/composer" for seed in arranged]
    assert crossed == [True]


@pytest.mark.usefixtures("varied")
def test_training_plays_songs_that_people_wrote(monkeypatch, tmp_path):
    asked = []

    def read(folder, seed):
        asked.append((folder, seed))
        parts = {stem: Part([Note(0.5, 0.5, 60, 90)], kinds=[stem]) for stem in STEMS}
        return Song(parts, 2.0, "written", "file", 0.0, "", "4/4")

    monkeypatch.setattr(render, "read_written", read)
    folders = tmp_path, None, None, tmp_path / "midi"
    _, metadata = render.render_song("0/train/9", "train", *folders)
    # As other songs, one of ten has the notes of the song before it, in each other's roles.
    assert asked == [(tmp_path / "midi", "0/train/8")]
    assert metadata["crossed"]
    assert metadata["source"] == "written"
    # What the file does not say is not told.
    assert not {"tempo", "key"} & set(metadata)
    monkeypatch.setattr(render, "list_timbres", lambda *_: dict.fromkeys(STEMS, ()))
    _, metadata = render.render_song("0/validation/0", "validation", *folders)
    assert metadata["source"] == "composer"
    assert len(asked) == 1


@pytest.mark.usefixtures("varied")
def test_validation_is_arranged_on_prepared_instruments_only(monkeypatch, tmp_path):
    monkeypatch.setattr(render, "list_timbres", lambda *_: dict.fromkeys(STEMS, ()))
    plain, wide = (
        render.render_song("0/validation/4", "validation", tmp_path, None, web)[1]["notes_of"]
        for web in (None, tmp_path)
    )
    assert (plain, wide) == ("0/validation/4", "0/validation/3")


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
