"""Sounds that are moved to a sketch: noise, tones, bounds."""

import numpy as np
import pytest

from msdm_cli.representations.sketch import (
    BANDS,
    FLOOR,
    HOP,
    LOWEST_HZ,
    MARGIN,
    SAMPLE_RATE_HZ,
    find_sketch,
)
from msdm_cli.representations.sketch_agreement import MOST_UP_DB, agree

FRAMES = 40
LENGTH = FRAMES * HOP


def noise(stems=1, seed=0):
    return np.random.default_rng(seed).standard_normal((stems, LENGTH), dtype=np.float32)


def sketch_whole(stems):
    return find_sketch(np.pad(stems, ((0, 0), (MARGIN, MARGIN))))


def find_error_db(stems, sketch):
    return 10 * np.sqrt(np.square(sketch_whole(stems) - sketch).mean())


def test_a_sound_that_agrees_stays_as_it_is():
    stems = 0.1 * noise(2)
    np.testing.assert_allclose(agree(stems, sketch_whole(stems)), stems, atol=2e-6)


def test_silence_that_should_be_silent_stays_silent():
    silence = np.zeros((1, LENGTH), np.float32)
    assert not agree(silence, sketch_whole(silence)).any()


@pytest.mark.parametrize("gain_db", [-12.0, 12.0])
def test_a_level_is_reached_at_once(gain_db):
    stems = 0.1 * noise()
    moved = agree(stems, sketch_whole(stems) + gain_db / 10)
    np.testing.assert_allclose(moved, stems * 10 ** (gain_db / 20), rtol=1e-2, atol=2e-3)


def test_noise_takes_the_bands_of_tones_and_their_times():
    time = np.arange(LENGTH) / SAMPLE_RATE_HZ
    low, high = (np.sin(2 * np.pi * LOWEST_HZ * 2 ** (band / 12) * time) for band in (20, 70))
    wanted = 0.2 * np.stack([low * (time > 0.4), high * (time < 0.4)]) + 1e-3 * noise(2, seed=1)
    sketch = sketch_whole(wanted.astype(np.float32))
    errors = [find_error_db(stems := 0.05 * noise(2), sketch)]
    for _ in range(3):
        stems = agree(stems, sketch)
        errors.append(find_error_db(stems, sketch))
    assert errors[0] > 20
    assert errors[1] < errors[0] / 2
    assert errors[3] < 5


def test_a_gain_is_bounded():
    stems = 1e-3 * noise()
    moved = agree(stems, np.full((1, BANDS, FRAMES), 2.0, np.float32))
    assert moved.std() / stems.std() == pytest.approx(10 ** (MOST_UP_DB / 20), rel=0.05)
    quiet = agree(noise(), np.full((1, BANDS, FRAMES), FLOOR, np.float32))
    assert 0 < quiet.std() < 0.05
