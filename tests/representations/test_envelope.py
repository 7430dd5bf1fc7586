"""Envelopes: closed forms, and attacks that are imposed."""

import numpy as np
import pytest

from msdm_cli.representations.envelope import (
    EDGES,
    ENVELOPE_BANDS,
    LOWEST,
    MOST_UP_DB,
    STEP,
    STEPS_PER_FRAME,
    WINDOW,
    find_envelope,
    impose,
)
from msdm_cli.representations.sketch import HOP, SAMPLE_RATE_HZ

FRAMES = 256
LENGTH = FRAMES * STEP
MIDDLE = slice(8, -8)
"""Frames whose windows are full."""


def noise(stems=1, seed=0):
    return np.random.default_rng(seed).standard_normal((stems, LENGTH), dtype=np.float32)


def test_white_noise_has_its_variance_in_every_band():
    envelope = find_envelope(np.stack([noise()[0], 0.1 * noise(seed=1)[0]]))
    assert envelope.shape == (2, ENVELOPE_BANDS, FRAMES)
    assert STEPS_PER_FRAME * STEP == HOP
    power = (10.0**envelope)[..., MIDDLE].mean(-1)
    # 60 windows that do not overlap, of two bins or more: a tenth.
    np.testing.assert_allclose(power[0], 1, rtol=0.25)
    np.testing.assert_allclose(power[1], 0.01, rtol=0.25)


def test_a_tone_is_in_its_band_with_its_power():
    """A sine of amplitude a has ``a^2 |W(0)|^2 / 4``; a Hann window spreads it over three bins."""
    bin_index = 27
    x = 0.5 * np.sin(2 * np.pi * bin_index / WINDOW * np.arange(LENGTH))
    power = 10.0 ** find_envelope(x[None])[0, :, MIDDLE]
    window = np.hanning(WINDOW + 1)[:-1]
    whole = 0.25 / 4 * window.sum() ** 2 / np.square(window).sum() * (1 + 2 / 4)
    band = np.searchsorted(EDGES, bin_index, side="right") - 1
    np.testing.assert_allclose(power[band], whole / (EDGES[band + 1] - EDGES[band]), rtol=1e-3)
    assert np.delete(power, band, 0).max() < 1e-6


def test_silence_has_the_lowest_value():
    assert (find_envelope(np.zeros((1, LENGTH))) == LOWEST).all()


def test_a_sound_that_has_its_envelope_stays_as_it_is():
    stems = 0.1 * noise(2)
    np.testing.assert_allclose(impose(stems, find_envelope(stems)), stems, atol=2e-6)


def test_silence_stays_silent():
    silence = np.zeros((1, LENGTH), np.float32)
    assert not impose(silence, np.zeros((1, ENVELOPE_BANDS, FRAMES), np.float32)).any()


def test_a_gain_is_bounded():
    stems = 1e-2 * noise()
    moved = impose(stems, np.full((1, ENVELOPE_BANDS, FRAMES), 3.0, np.float32))
    assert moved.std() / stems.std() == pytest.approx(10 ** (MOST_UP_DB / 20), rel=0.01)


def test_a_slope_becomes_an_attack():
    """Noise that rises over 100 ms gets the envelope of noise that begins at once."""
    time = np.arange(LENGTH) / SAMPLE_RATE_HZ
    start = 0.7
    wanted = 0.1 * noise() * (time > start) + 1e-4 * noise(seed=2)
    slope = 0.1 * noise(seed=1) * np.clip((time - start) / 0.1 + 0.5, 0, 1) + 1e-4 * noise(seed=3)
    moved = impose(slope, find_envelope(wanted))
    before = (time > start - 0.045) & (time < start - 0.012)
    after = (time > start + 0.012) & (time < start + 0.045)
    rise_db = [20 * np.log10(x[0, after].std() / x[0, before].std()) for x in (slope, moved)]
    assert rise_db[0] < 12
    assert rise_db[1] > 25
