from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from msdm_cli.audio.chunks import ChunkPlan, OverlapAdd

# Float32 rounding of a weighted mean of at most a few values.
ROUNDING = 1e-6


@st.composite
def plans(draw):
    total, length = draw(st.integers(1, 60)), draw(st.integers(1, 20))
    context, overlap = draw(st.integers(0, 5)), draw(st.integers(0, 8))
    assume(length - 2 * context - overlap >= 1)
    return ChunkPlan(total, length, context, overlap)


@given(plans())
def test_cores_cover_the_song_and_windows_hold_their_cores(plan):
    chunks = plan.chunks()
    assert chunks[0].core_start == 0
    assert chunks[-1].core_stop == plan.total
    for chunk in chunks:
        assert chunk.stop - chunk.start == plan.length
        assert chunk.start <= chunk.core_start < chunk.core_stop <= chunk.stop
        assert chunk.stop <= max(plan.total, plan.length)
        assert chunk.core_start in (0, chunk.start + plan.context)
    for chunk, following in pairwise(chunks):
        assert chunk.core_start < following.core_start
        assert chunk.core_stop - following.core_start >= plan.overlap


@given(plans())
def test_overlap_add_of_an_identity_is_the_input(plan):
    song = np.arange(plan.total, dtype=np.float32)[None] / plan.total + 1
    padded = np.pad(song, ((0, 0), (0, plan.length)))
    overlap_add, chunks = OverlapAdd(plan, (1,)), list(plan.chunks())
    parts = [
        overlap_add.add(chunk, padded[:, chunk.core_start : chunk.core_stop], following)
        for chunk, following in zip(chunks, [*chunks[1:], None], strict=True)
    ]
    np.testing.assert_allclose(np.concatenate(parts, 1), song, atol=ROUNDING)


def test_errors_inside_the_context_are_not_heard():
    plan = ChunkPlan(total=200, length=50, context=8, overlap=10)
    overlap_add, chunks, parts = OverlapAdd(plan, (1,)), list(plan.chunks()), []
    for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
        window = np.ones((1, 50), np.float32)
        window[:, : 8 if chunk.start else 0] = 99
        window[:, 50 - 8 if following else 50 :] = 99
        parts.append(overlap_add.add(chunk, window[:, chunk.core], following))
    np.testing.assert_allclose(np.concatenate(parts, 1), 1, atol=ROUNDING)


def test_a_seam_is_a_linear_cross_fade():
    plan = ChunkPlan(total=30, length=20, context=0, overlap=9)
    overlap_add, (first, second) = OverlapAdd(plan, (1,)), plan.chunks()
    parts = [
        overlap_add.add(first, np.zeros((1, 20)), second),
        overlap_add.add(second, np.ones((1, 20)), None),
    ]
    faded = np.concatenate(parts, 1)[0, second.core_start : first.core_stop]
    np.testing.assert_allclose(np.diff(faded, 2), 0, atol=ROUNDING)
    assert 0 < faded[0] < faded[-1] < 1


@pytest.mark.parametrize(
    "numbers", [(0, 10, 0, 0), (10, 10, 5, 0), (10, 10, 0, 10), (10, 10, -1, 0)]
)
def test_impossible_plans_are_refused(numbers):
    with pytest.raises(ValueError, match="expected"):
        ChunkPlan(*numbers)


@given(plans())
def test_chunks_are_a_sequence(plan):
    chunks = plan.chunks()
    every = list(chunks)
    assert len(chunks) == len(every)
    assert [chunks[index] for index in range(-len(every), 0)] == every
    for index in (len(every), -len(every) - 1):
        with pytest.raises(IndexError):
            chunks[index]
    assert chunks.core_samples == sum(chunk.core_samples for chunk in every)
    assert list(chunks.followed()) == list(zip(every, [*every[1:], None], strict=True))


def test_a_song_of_years_costs_nothing_to_plan():
    chunks = ChunkPlan(10**18, 262144, 16384, 50_000).chunks()
    assert len(chunks) > 10**12
    assert chunks[-1].core_stop == 10**18
    assert chunks.core_samples > 10**18
