"""SDR: for one channel, BSSEval v4 divides the energy of a frame by that of its error."""

import builtins
import math

import pytest
import torch

from msdm_cli.errors import BackendUnavailable
from msdm_cli.evaluation.sdr import SongSdr, measure_sdr, summarise_sdr

RATE = 2000
ROUNDING_DB = 1e-3  # of samples in single precision


def test_it_is_the_median_over_frames(museval):
    torch.manual_seed(0)
    stems = torch.randn(2, 3 * RATE)
    error = torch.randn(2, 3 * RATE) * torch.tensor([0.1, 0.01, 0.3]).repeat_interleave(RATE)
    found = measure_sdr(stems + error, stems, RATE)
    frames = 10 * torch.log10(stems.view(2, 3, -1).square().sum(2) / error.view(2, 3, -1).square().sum(2))
    assert found == pytest.approx(frames.median(1).values.tolist(), abs=ROUNDING_DB)


def test_a_stem_that_rests_throughout_does_not_void_the_others(museval):
    stems = torch.randn(3, 2 * RATE)
    stems[1] = 0
    found = measure_sdr(stems + 0.1 * torch.randn(3, 2 * RATE), stems, RATE)
    assert math.isnan(found[1])
    assert all(15 < found[index] < 25 for index in (0, 2))
    assert all(math.isnan(figure) for figure in measure_sdr(stems, torch.zeros(3, 2 * RATE), RATE))


def test_the_median_over_songs_leaves_out_what_is_not_a_number():
    figures = [("a", 1.0), ("b", math.nan), ("c", 5.0)]
    rows = [SongSdr("one", song, "bass", figure) for song, figure in figures]
    assert summarise_sdr(rows, ("bass",)) == {"one": {"bass": 3.0}}


def test_without_museval_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("museval"):
            raise ImportError("No module named museval")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendUnavailable, match="museval"):
        measure_sdr(torch.zeros(1, RATE), torch.zeros(1, RATE), RATE)
