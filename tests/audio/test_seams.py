import numpy as np
import pytest

from msdm_cli.audio.chunks import ChunkPlan
from msdm_cli.audio.seams import SeamMeter, list_joins

JOINS = [5000, 9000, 30_000]


def measure(x, block):
    meter = SeamMeter(JOINS)
    for start in range(0, x.shape[-1], block):
        meter.push(x[..., start : start + block], last=start + block >= x.shape[-1])
    return meter.seams


@pytest.fixture
def noise():
    return (
        np.random.default_rng(0).standard_normal((2, 4, 31_000)).astype(np.float32).cumsum(-1)
        * 0.01
    )


@pytest.mark.parametrize("block", [31_000, 4096, 777])
def test_joins_of_what_was_never_cut_are_like_any_other_place(noise, block):
    seams = measure(noise, block)
    assert [seam.position for seam in seams] == JOINS
    assert seams == measure(noise, 31_000)
    # Of 8 (and 16) normal values, the largest stays below 5 standard deviations.
    assert all(seam.value < 5 and seam.slope < 5 for seam in seams)


def test_a_click_stands_out(noise):
    noise[1, 2, 9000:] += 1
    before, click, after = measure(noise, 1000)
    assert click.value > 10
    assert click.slope > 10
    assert max(before.value, after.value) < 5


def test_a_corner_stands_out_in_the_slope():
    x = np.sin(np.arange(31_000) / 50)
    x[9000:] += np.arange(22_000) * 0.02
    _, corner, _ = measure(x[None, None].astype(np.float32), 5000)
    assert corner.slope > 10 > 3 > corner.value


def test_silence_has_no_seams():
    assert all(
        (seam.value, seam.slope) == (0, 0)
        for seam in measure(np.zeros((1, 1, 31_000), np.float32), 5000)
    )


def test_joins_are_the_ends_of_cross_fades():
    # Windows 0..40, 20..60, 40..80, 60..100; cores 0..35, 25..55, 45..75, 65..100.
    assert list_joins(ChunkPlan(100, 40, 5, 10).chunks()) == [25, 35, 45, 55, 65, 75]
    assert list_joins(ChunkPlan(30, 40, 0, 0).chunks()) == []
