import math

import numpy as np
import pytest

from msdm_cli.evaluation.metrics.metric import SeparatedSong
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR, SiSdrRow, score_windows, si_sdr

RATE = 1000
ROWS = [
    SiSdrRow("one", "a", 0, "bass", True, 1.0, -3.0),
    SiSdrRow("one", "a", 0, "drums", False, 50.0, -40.0),
    SiSdrRow("one", "b", 0, "bass", True, 3.0, -3.0),
    SiSdrRow("one", "b", 0, "drums", True, 4.0, -3.0),
    SiSdrRow("two", "a", 0, "bass", True, -1.0, -3.0),
    SiSdrRow("two", "a", 0, "drums", True, 5.0, -3.0),
]


def orthogonal(length=4000):
    time = np.arange(length) / length
    return np.sin(2 * math.pi * 5 * time), np.cos(2 * math.pi * 5 * time)


def noise(stems, seconds):
    return np.random.default_rng(0).standard_normal((stems, seconds * RATE))


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_scale_does_not_matter(scale):
    target, error = orthogonal()
    assert si_sdr(scale * (target + 0.1 * error), target).item() == pytest.approx(20.0, abs=0.01)


def test_a_perfect_estimate_is_limited_by_eps():
    target, _ = orthogonal()
    assert si_sdr(target, target).item() == pytest.approx(10 * math.log10(2000 / 1e-8), abs=0.1)


def test_silence_scores_the_papers_value_for_a_silent_target():
    # a = (0 + eps) / (0 + eps) = 1, and (0 + eps) / (0 + eps) is 0 dB.
    assert si_sdr(np.zeros(4000), np.zeros(4000)).item() == pytest.approx(0.0)


def test_windows_with_one_active_stem_do_not_count():
    stems = noise(2, 12)
    stems[1, 4 * RATE : 8 * RATE] = 0
    scores = score_windows(stems, stems, RATE)
    # Windows start at 0, 2, 4, 6, 8 s; the one from 4 to 8 s has one active stem.
    assert scores.improvement.shape == (4, 2)
    assert scores.active.all()
    assert (scores.improvement > 60).all()


def test_the_mixture_improves_nothing():
    stems = noise(3, 8)
    scores = score_windows(np.broadcast_to(stems.sum(0), stems.shape), stems, RATE)
    np.testing.assert_allclose(scores.improvement, np.zeros((3, 3)), atol=1e-5)


def test_a_leak_is_measured_against_the_mixture():
    stems = noise(3, 4)
    stems[2] = 0
    estimate = stems.copy()
    estimate[2] = 0.01 * stems.sum(0)
    scores = score_windows(estimate, stems, RATE)
    assert not scores.active[0, 2]
    assert scores.leak_db[0, 2].item() == pytest.approx(-40.0, abs=0.01)


def test_a_song_has_a_row_for_each_stem_in_each_window():
    stems = noise(2, 6)
    estimate = stems + 0.1 * stems[::-1]
    rows = SI_SDR.score(SeparatedSong("one", "a", ("left", "right"), estimate, stems, RATE))
    scores = score_windows(estimate, stems, RATE)
    assert rows == [
        SiSdrRow(
            "one",
            "a",
            window,
            stem,
            True,
            float(scores.improvement[window, index]),
            float(scores.leak_db[window, index]),
        )
        for window in range(2)
        for index, stem in enumerate(("left", "right"))
    ]


def test_a_song_without_a_window_that_counts_has_no_rows():
    stems = np.zeros((2, 6 * RATE))
    assert SI_SDR.score(SeparatedSong("one", "a", ("left", "right"), stems, stems, RATE)) == []


def test_means_are_over_windows_active_or_all():
    one, two = SI_SDR.summarise(ROWS, ("bass", "drums"))
    assert (one.songs, two.songs) == (2, 1)
    assert one.stems == {"bass": 2.0, "drums": 4.0}
    assert one.overall["active"] == 3.0
    assert one.overall["official"] == pytest.approx(58 / 4)
    assert one.overall["leak_db"] == -40.0
    assert math.isnan(two.overall["leak_db"])


def test_a_stem_that_never_sounds_does_not_void_the_mean():
    (summary, _) = SI_SDR.summarise(ROWS, ("bass", "drums", "kazoo"))
    assert math.isnan(summary.stems["kazoo"])
    assert summary.overall["active"] == 3.0
