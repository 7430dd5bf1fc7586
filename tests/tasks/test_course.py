import dataclasses

import pytest

from msdm_cli.tasks.course import AFTER, Stretch, cut, cut_loop, find_stretch, lay_chunks

LENGTH, CONTEXT, MULTIPLE = 130, 5, 1
"""Those of the embedded model, in tokens."""


def check_cores(chunks, stop, start=0):
    """Cores follow each other from start to stop, each within its window."""
    end = start
    for chunk in chunks:
        assert chunk.core_start == end
        assert chunk.start <= chunk.core_start < chunk.core_stop <= chunk.stop
        end = chunk.core_stop
    assert end == stop
    # What a chunk knows was in the window of the one before it.
    starts = [chunk.start for chunk in chunks]
    assert starts == sorted(starts)


@pytest.mark.parametrize("total", [1, 16384, 16385, 20_000, 100_000])
def test_chunks_continue_each_other_without_a_gap(tiny_model, total):
    spec = tiny_model.spec
    chunks = lay_chunks(spec, Stretch(total))
    check_cores(chunks, total)
    for chunk in chunks:
        last = chunk.core_stop == total
        # Half a chunk is known, but at the beginning, and at the end, where more may be.
        assert last or chunk.core_start in (0, chunk.start + spec.chunk_length // 2)
        assert last or chunk.stop - chunk.core_stop == spec.context
        assert (chunk.stop - chunk.start) % spec.length_multiple == 0


def test_music_of_years_costs_nothing_to_plan(tiny_model):
    chunks = lay_chunks(tiny_model.spec, Stretch(10**15))
    assert len(chunks) > 10**10
    assert chunks.core_samples == 10**15


def test_chunks_of_a_spec_without_context(tiny_model):
    spec = dataclasses.replace(tiny_model.spec, context=0)
    chunks = lay_chunks(spec, Stretch(3 * spec.chunk_length))
    assert [chunk.start for chunk in chunks] == [0, 8192, 16384, 24576, 32768]


@pytest.mark.parametrize("unit", [2048, 4096])
@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (0, 2048), (0, 16384), (0, 16385), (0, 30_000), (0, 100_000), (9000, 60_000)],
)
def test_chunks_begin_and_end_with_tokens(tiny_cascade, start, stop, unit):
    spec = dataclasses.replace(tiny_cascade.spec, length_multiple=unit, context=4096 % unit)
    chunks = lay_chunks(spec, Stretch(stop, start), unit)
    check_cores(chunks, stop, start // unit * unit)
    for chunk in chunks:
        assert not any(place % unit for place in (chunk.start, chunk.stop, chunk.core_start))
        assert chunk.stop - chunk.start <= spec.chunk_length


@pytest.mark.parametrize("total", [7, 16, 86, 93, 140, 141, 142, 200, 201, 231, 1000])
def test_the_last_chunk_of_a_loop_reaches_beyond_its_end(total):
    chunks = cut_loop(total, LENGTH, CONTEXT, MULTIPLE)
    check_cores(chunks, total)
    *others, last = chunks
    assert len(others) >= 1
    for chunk in others:
        assert chunk.stop - chunk.start == LENGTH
        assert chunk.stop - chunk.core_stop >= CONTEXT
    after = last.stop - total
    assert after >= min(LENGTH // AFTER, total // 2)
    music = total - CONTEXT
    assert last.stop - last.start <= LENGTH
    # It knows what it continues, draws some of the music, and knows what it must lead to.
    assert last.core_start - last.start >= min(LENGTH // 8, music // 2)
    assert last.core_samples >= min(LENGTH // 8, music // 2)
    assert chunks.core_samples == total


@pytest.mark.parametrize("multiple", [1, 7, 13])
def test_the_last_chunk_of_a_loop_has_a_length_that_the_network_takes(multiple):
    for total in (20, 50, 300):
        *_, last = cut_loop(total, 13 * 7, 7, multiple)
        assert (last.stop - last.start) % multiple == 0


def test_a_loop_ends_at_its_exact_length(tiny_cascade):
    chunks = lay_chunks(tiny_cascade.spec, Stretch(20_001, loops=True), 2048)
    check_cores(chunks, 20_001)
    assert chunks[-1].stop > 20_001


@pytest.mark.parametrize("total", [20_000, 100_000, 100_001])
@pytest.mark.parametrize(("first", "length"), [(0, 1), (0, 5000), (12_000, 100), (3000, 17_000)])
def test_a_gap_lies_in_what_is_drawn_around_it(tiny_cascade, total, first, length):
    spec = tiny_cascade.spec
    for begin in (first, total - length - first):
        stop = begin + length
        stretch = find_stretch(spec, total, begin, stop)
        assert 0 <= stretch.start <= begin
        assert stop <= stretch.stop <= total
        assert stretch.start % spec.length_multiple == 0
        if length <= spec.chunk_length // 2:
            assert len(lay_chunks(spec, stretch, 2048)) == 1
        if begin > spec.chunk_length // 2 and total - stop > spec.chunk_length // 2:
            least = spec.chunk_length // AFTER - spec.length_multiple
            assert begin - stretch.start >= least
            assert stretch.stop - stop >= least


def test_a_continuation_knows_as_much_as_a_chunk_holds(tiny_cascade):
    spec = tiny_cascade.spec
    short = find_stretch(spec, 101_000, 100_000, 101_000)
    assert 101_000 - short.start > spec.chunk_length - spec.length_multiple
    long = find_stretch(spec, 200_000, 100_000, 200_000)
    known = 100_000 - long.start
    assert spec.chunk_length // 2 <= known < spec.chunk_length // 2 + spec.length_multiple


def test_music_that_fits_into_a_chunk_is_one():
    (only,) = cut(LENGTH, LENGTH, CONTEXT, MULTIPLE)
    assert (only.start, only.stop, only.core_stop) == (0, LENGTH, LENGTH)
