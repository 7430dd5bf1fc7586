"""SDR: for one channel, BSSEval v4 divides the energy of a frame by that of its error."""

import math

import numpy as np
import pytest

from msdm_cli.evaluation.metrics.metric import SeparatedSong
from msdm_cli.evaluation.metrics.sdr import SDR, SdrRow, measure_sdr

RATE = 2000
ROUNDING_DB = 1e-3  # of samples in single precision


def test_it_is_the_median_over_frames(museval):
    rng = np.random.default_rng(0)
    stems = rng.standard_normal((2, 3 * RATE))
    error = rng.standard_normal((2, 3 * RATE)) * np.repeat([0.1, 0.01, 0.3], RATE)
    rows = SDR.score(SeparatedSong("one", "a", ("left", "right"), stems + error, stems, RATE))
    assert [(row.method, row.song, row.stem) for row in rows] == [
        ("one", "a", "left"),
        ("one", "a", "right"),
    ]
    energy, noise = (np.square(part.reshape(2, 3, -1)).sum(2) for part in (stems, error))
    assert [row.sdr_db for row in rows] == pytest.approx(
        np.median(10 * np.log10(energy / noise), 1).tolist(), abs=ROUNDING_DB
    )


def test_a_stem_that_rests_throughout_does_not_void_the_others(museval):
    rng = np.random.default_rng(0)
    stems = rng.standard_normal((3, 2 * RATE))
    stems[1] = 0
    found = measure_sdr(stems + 0.1 * rng.standard_normal(stems.shape), stems, RATE)
    assert math.isnan(found[1])
    assert all(15 < found[index] < 25 for index in (0, 2))
    assert all(math.isnan(figure) for figure in measure_sdr(stems, np.zeros((3, 2 * RATE)), RATE))


def test_an_estimate_that_is_silent_does_not_void_the_others(museval):
    stems = np.random.default_rng(0).standard_normal((2, 2 * RATE))
    found = measure_sdr(np.stack([stems[0] * 1.1, 0 * stems[1]]), stems, RATE)
    assert found[0] > 15
    assert math.isnan(found[1])


def test_the_median_over_songs_leaves_out_what_is_not_a_number():
    figures = [("a", 1.0), ("b", math.nan), ("c", 5.0)]
    rows = [SdrRow("one", song, "bass", figure) for song, figure in figures]
    (summary,) = SDR.summarise(rows, ("bass",))
    assert (summary.method, summary.songs) == ("one", 3)
    assert summary.stems == {"bass": 3.0}


def test_museval_is_checked_before_the_work(museval):
    SDR.check()
