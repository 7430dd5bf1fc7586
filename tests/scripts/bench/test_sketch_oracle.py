import numpy as np
from conftest import music

from scripts.bench.sketch_oracle import by_true_sketches

FRAMES = 16 * 512


def si_sdr(estimate, truth):
    scaled = truth * (estimate @ truth) / (truth @ truth)
    return 10 * np.log10(np.square(scaled).sum() / np.square(estimate - scaled).sum())


def halve(stems):
    """An estimate that cannot tell stems apart."""
    return np.repeat(stems.mean(0, keepdims=True), len(stems), 0)


def test_what_agrees_with_the_true_sketches_is_nearer_and_still_the_mixture():
    time = np.arange(FRAMES) / 22050
    low, high = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (110.0, 880.0))
    stems = np.stack((low, high, 0.1 * music(FRAMES)[0], np.zeros_like(low)))
    none, half, once, twice = (
        by_true_sketches(halve, times, share)(stems)
        for times, share in ((0, 1.0), (1, 0.5), (1, 1.0), (2, 1.0))
    )
    np.testing.assert_array_equal(none, halve(stems))
    for estimates in (half, once, twice):
        np.testing.assert_allclose(estimates.sum(0), stems.sum(0), atol=1e-5)
    figures = [si_sdr(estimates[0], low) for estimates in (none, half, once, twice)]
    assert figures == sorted(figures)
    assert figures[-1] > figures[0] + 6
