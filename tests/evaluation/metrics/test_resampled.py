"""Stems at the rate of a network that judges them."""

import numpy as np

from msdm_cli.evaluation.metrics.resampled import RATE_HZ, list_sounding, resample_stems


def test_tones_keep_their_pitch_and_their_stem():
    rate = 44100
    time = np.arange(rate) / rate
    stems = np.stack([np.sin(2 * np.pi * hz * time) for hz in (440, 1000)])
    found = resample_stems(stems, rate)
    assert found.shape == (2, RATE_HZ)
    assert list(np.abs(np.fft.rfft(found)).argmax(1)) == [440, 1000]


def test_the_same_rate_keeps_every_sample():
    stems = np.random.default_rng(0).standard_normal((3, 100)).astype(np.float32)
    np.testing.assert_array_equal(resample_stems(stems, RATE_HZ), stems)


def test_a_stem_sounds_if_it_does_in_truth_and_as_estimated():
    stems = np.array([[0, 1], [0, 0], [1, 0], [0, 0]])
    estimate = np.array([[1, 0], [1, 1], [0, 0], [0, 0]])
    assert list_sounding(stems, estimate) == [0]
