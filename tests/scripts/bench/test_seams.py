"""Joins of chunks among other places."""

import numpy as np
import pytest
from conftest import CPU, make_tiny_model, music

from msdm_cli.audio.source import ArraySource
from msdm_cli.interface import Model
from msdm_cli.tasks.separate import SeparateOptions
from scripts.bench.seams import FIGURES, list_edges, rank

RATE_HZ = 22050


def test_cross_fades_begin_and_end_where_chunks_do():
    tiny = make_tiny_model()
    model = Model(tiny.spec, tiny.denoisers, CPU)
    options = SeparateOptions(tiny.spec.preset("separate", "fast"))
    song = ArraySource(music(3 * 44100, rate=44100), 44100)
    edges = list_edges(model, song, options)
    assert len(edges) % 2 == 0
    assert len(edges) >= 8
    assert all(0 < edge < 3 * 44100 for edge in edges)
    half = list_edges(model, ArraySource(music(3 * RATE_HZ), RATE_HZ), options)
    assert np.abs(np.array(edges) - 2 * np.array(half)).max() <= 1


@pytest.mark.parametrize("name", FIGURES)
def test_a_join_that_can_be_heard_has_the_highest_rank(name):
    rng = np.random.default_rng(0)
    place = 2 * RATE_HZ
    smooth = np.convolve(rng.standard_normal(4 * RATE_HZ), np.ones(32) / 32, "same")
    joined = smooth.copy()
    # From here on, other sound: brighter, and beginning with a step.
    joined[place:] = 0.3 * rng.standard_normal(len(smooth) - place)
    joined[place] += 3
    assert rank(joined, place, FIGURES[name], RATE_HZ, rng) > 0.95
    ranks = [rank(smooth, place + 100 * n, FIGURES[name], RATE_HZ, rng) for n in range(20)]
    assert np.mean(ranks) == pytest.approx(0.5, abs=0.2)
