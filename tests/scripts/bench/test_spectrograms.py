"""The picture of a song and its stems."""

import numpy as np
import pytest
from conftest import music

pytest.importorskip("matplotlib")
from matplotlib import image

from scripts.bench.spectrograms import ROWS, draw, list_frequencies, measure_levels, save

RATE_HZ = 22050


def test_a_tone_is_a_line_at_its_frequency():
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    levels = measure_levels(np.sin(2 * np.pi * 440 * time)[None], RATE_HZ)
    loudest = list_frequencies(RATE_HZ)[levels.mean(1).argmax()]
    assert loudest == pytest.approx(440, rel=0.02)
    assert levels.shape[0] == ROWS


def test_every_sound_has_a_panel(tmp_path):
    names = ("the song", "bass", "drums", "guitar")
    sounds = {name: music(RATE_HZ, 2, seed=seed) for seed, name in enumerate(names)}
    figure = draw(sounds, RATE_HZ)
    assert [panel.get_title("left") for panel in figure.axes] == list(names)
    save(figure, tmp_path / "picture.png")
    height, width = image.imread(tmp_path / "picture.png").shape[:2]
    assert width == 820
    assert height == 540
