"""The sketch against closed forms: white noise, tones, clicks, levels."""

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

CENTRES_HZ = LOWEST_HZ * 2 ** (np.arange(BANDS) / 12)

NOISE_FRAMES = 600
NOISE_TOLERANCE = 0.1
"""In bels. 600 frames are 75 long windows side by side, and a band takes 2 bins or more: the mean
of 150 exponential variables has a deviation of 8 %, 0.035 bels; less as windows overlap."""

TONE_TOLERANCE = 0.15
"""In bels. Between two bins, a Hann window loses up to 1.4 dB."""

ROUNDING = 1e-4
"""In bels: single precision, and the floor of a spectrum 80 dB below its peak."""


def tone(frequency_hz, frames=8, level=0.1):
    time = np.arange(frames * HOP + 2 * MARGIN) / SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def noise(frames, seed=0):
    length = frames * HOP + 2 * MARGIN
    return np.random.default_rng(seed).standard_normal(length, dtype=np.float32)


@pytest.mark.parametrize("sigma", [1.0, 0.01])
def test_every_band_has_the_variance_of_white_noise(sigma):
    power = 10.0 ** find_sketch(sigma * noise(NOISE_FRAMES))
    found = np.log10(power.mean(-1))
    np.testing.assert_allclose(found, 2 * np.log10(sigma), atol=NOISE_TOLERANCE)


def test_a_tone_is_loudest_in_its_band():
    sketch = find_sketch(np.stack([tone(centre) for centre in CENTRES_HZ]))
    np.testing.assert_array_equal(sketch.mean(-1).argmax(-1), np.arange(BANDS))


@pytest.mark.parametrize("semitones", [1, -1, 5])
def test_a_transposed_chord_moves_by_as_many_bands(semitones):
    notes = np.array([10, 38, 55, 80])
    before, after = (
        find_sketch(sum(tone(CENTRES_HZ[0] * 2 ** (note / 12)) for note in chord)).mean(-1)
        for chord in (notes, notes + semitones)
    )
    for note in notes:
        near = slice(note + semitones - 4, note + semitones + 5)
        assert after[near].argmax() == 4
        assert after[note + semitones] == pytest.approx(before[note], abs=TONE_TOLERANCE)


def test_ten_decibels_are_one():
    quiet = 0.01 * noise(20)
    louder = find_sketch(quiet * np.float32(np.sqrt(10)))
    np.testing.assert_allclose(louder, find_sketch(quiet) + 1, atol=ROUNDING)


def test_silence_is_the_floor_and_nothing_is_below_it():
    for x in (np.zeros(4 * HOP + 2 * MARGIN, np.float32), 1e-6 * noise(4)):
        np.testing.assert_allclose(find_sketch(x), FLOOR, atol=ROUNDING)


@pytest.mark.parametrize("frame", [0, 3, 7])
def test_a_click_is_loudest_in_the_frame_that_it_is_in(frame):
    x = np.zeros(8 * HOP + 2 * MARGIN, np.float32)
    x[MARGIN + frame * HOP + HOP // 2] = 1
    sketch = find_sketch(x)
    np.testing.assert_array_equal(sketch.argmax(-1), frame)
    # As much before as after: frames are centred on their samples.
    for distance in range(1, min(frame, 7 - frame) + 1):
        before, after = sketch[:, frame - distance], sketch[:, frame + distance]
        np.testing.assert_allclose(before, after, atol=0.1)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("frames", [1, 5])
def test_shapes_are_those_of_the_sounds(shape, frames):
    sketch = find_sketch(np.zeros((*shape, frames * HOP + 2 * MARGIN)))
    assert sketch.shape == (*shape, BANDS, frames)
    assert sketch.dtype == np.float32


@pytest.mark.parametrize("length", [0, 2 * MARGIN, 2 * MARGIN + 1, 2 * MARGIN + HOP + 1])
def test_other_lengths_are_refused(length):
    with pytest.raises(ValueError, match=f"multiple of {HOP} samples and two margins, got"):
        find_sketch(np.zeros(length))


def test_a_long_sound_in_blocks_has_the_same_sketch():
    x = noise(30)
    blocks = [
        find_sketch(x[start * HOP : stop * HOP + 2 * MARGIN])
        for start, stop in ((0, 7), (7, 8), (8, 30))
    ]
    np.testing.assert_allclose(np.concatenate(blocks, -1), find_sketch(x), atol=ROUNDING)
