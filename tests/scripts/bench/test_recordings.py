"""Recordings, some of which come with a guitar."""

import numpy as np
import pytest
import soundfile
from conftest import CPU, make_tiny_model, music

from msdm_cli.interface import Model
from scripts.bench.recordings import (
    Recording,
    list_cells,
    load_recording,
    measure_high,
    score_guitar,
    to_model_rate,
)

RATE_HZ = 44100


@pytest.fixture(scope="module")
def model():
    tiny = make_tiny_model()
    return Model(tiny.spec, tiny.denoisers, CPU)


@pytest.fixture
def folder(tmp_path):
    for seed, part in enumerate(("guitar", "song")):
        sound = music(5 * RATE_HZ, 2, RATE_HZ, seed)
        soundfile.write(tmp_path / f"{part}.ogg", sound.T, RATE_HZ)
    return tmp_path


def test_a_folder_is_the_sum_of_its_parts(folder):
    recording = load_recording(folder, 4.5)
    assert recording.mixture.shape == (2, round(4.5 * RATE_HZ))
    assert len(recording.parts) == 2
    # But for rounding to 16 bits.
    np.testing.assert_allclose(recording.mixture, sum(recording.parts), atol=2**-16)
    assert np.array_equal(recording.mixture, np.rint(recording.mixture * 2**15) / 2**15)
    assert load_recording(folder / "song.ogg", 4.5).parts == ()


def test_a_row_has_levels_and_the_sum_is_exact(model, folder):
    cells = list_cells(load_recording(folder, 4.5), model, "fast")
    assert len(cells) == 1 + 4 + 2 + 4
    assert cells[0].endswith("44.1 kHz, 2 ch")
    assert cells[6] == "yes"
    assert all(float(cell) < 10 for cell in cells[1:5])


def test_the_truth_is_a_better_guitar_than_its_mask(folder):
    recording = load_recording(folder, 4.5)
    truth, spread, mask, highs = score_guitar(recording, recording.parts[0])
    assert float(truth) > float(mask) > 0
    low, _, high = spread.partition(" to ")
    assert float(low) <= float(truth) <= float(high)
    assert highs == "+0.0"
    alone = Recording("x", RATE_HZ, recording.mixture, ())
    assert score_guitar(alone, recording.mixture) == ["", "", "", ""]


def test_channels_stay_at_the_models_rate():
    sound = music(RATE_HZ, 2, RATE_HZ)
    stereo = to_model_rate(sound, RATE_HZ)
    assert stereo.shape == (2, 22050)
    np.testing.assert_allclose(stereo[::-1], to_model_rate(sound[::-1], RATE_HZ), atol=1e-6)


def test_the_high_band_is_above_what_the_model_hears():
    time = np.arange(RATE_HZ) / RATE_HZ
    low, high = (np.sin(2 * np.pi * pitch * time)[None] for pitch in (9000, 12_000))
    assert measure_high(low + high, RATE_HZ) == pytest.approx(measure_high(high, RATE_HZ), abs=0.01)
    assert measure_high(2 * high, RATE_HZ) - measure_high(high, RATE_HZ) == pytest.approx(
        6.02, abs=0.01
    )
