from types import SimpleNamespace

import numpy as np
from conftest import MemoryStore, music

from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.continuation import Continuation, draw_chunks
from msdm_cli.tasks.course import Stretch, lay_chunks
from msdm_cli.tasks.known import Given
from msdm_cli.tasks.sampling import ChunkSampler
from msdm_cli.tasks.stream import NoStore, TaskPlan


def plan_continuation(spec, total, calls_per_chunk):
    chunks = lay_chunks(spec, Stretch(total))
    return TaskPlan(chunks, calls_per_chunk, 1, len(spec.stems), independent=False)


def continue_with(sampler, planned, given, store):
    draw = Continuation(sampler, store, planned.calls_per_chunk).draw
    return draw_chunks(draw, planned, given, sampler.calls.stop)


def ramp(stem, start, stop):
    """A signal whose samples tell their stem and place."""
    return (1000 * stem + np.arange(start, stop) / 1000).astype(np.float32)


class RampSampler:
    """Draws ramps, and notes what it was told."""

    def __init__(self, spec):
        self.model = SimpleNamespace(spec=spec)
        self.calls = Calls(SilentProgress())
        self.conditions = []

    def draw(self, condition, chunk, start, shape, bind=None):
        self.conditions.append((start, condition))
        stop = start + shape[2]
        return np.stack([ramp(stem, start, stop) for stem in range(shape[1])])[None]


def test_each_chunk_knows_what_was_drawn_before_it_and_what_is_given(tiny_model):
    spec = tiny_model.spec
    planned = plan_continuation(spec, 40_000, 1)
    sampler = RampSampler(spec)
    given = {2: Given(lambda start, stop: -ramp(2, start, stop))}
    cores = list(continue_with(sampler, planned, given, NoStore()))
    np.testing.assert_array_equal(
        np.concatenate(cores, 1), np.stack([ramp(stem, 0, 40_000) for stem in range(4)])
    )
    assert len(sampler.conditions) == len(planned.chunks) > 2
    for (start, condition), chunk in zip(sampler.conditions, planned.chunks, strict=True):
        assert start == chunk.start
        old = chunk.core_start - chunk.start
        known, values = condition.known[0], condition.values[0]
        for stem in (0, 1, 3):
            assert known[stem].sum() == old
            assert known[stem, :old].all()
            before = ramp(stem, chunk.start, chunk.core_start)
            np.testing.assert_array_equal(values[stem, :old], before)
        assert known[2].all()
        np.testing.assert_array_equal(values[2], -ramp(2, chunk.start, chunk.stop))


def test_chunks_that_a_store_has_are_what_later_ones_continue(tiny_model):
    planned = plan_continuation(tiny_model.spec, 40_000, 1)
    store = MemoryStore()
    whole = list(continue_with(RampSampler(tiny_model.spec), planned, {}, store))
    assert store.chunks.keys() == set(range(len(planned.chunks)))
    del store.chunks[1]
    sampler = RampSampler(tiny_model.spec)
    again = list(continue_with(sampler, planned, {}, store))
    for one, two in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, two)
    ((start, condition),) = sampler.conditions
    assert start == planned.chunks[1].start
    known = condition.values[0, 3, : condition.known[0, 3].sum()]
    np.testing.assert_array_equal(known, ramp(3, start, planned.chunks[1].core_start))


def test_given_stems_come_back_to_the_last_bit(tiny_model):
    drums = music(30_000)[0]
    preset = tiny_model.spec.preset("impute", "default")
    planned = plan_continuation(tiny_model.spec, len(drums), preset.calls)
    sampler = ChunkSampler(tiny_model, preset, 1, Calls(SilentProgress()))

    def read(start, stop):
        return np.pad(drums[start:stop], (0, max(0, stop - len(drums))))

    cores = list(continue_with(sampler, planned, {1: Given(read)}, NoStore()))
    stems = np.concatenate(cores, 1)
    np.testing.assert_array_equal(stems[1], drums)
    assert all(np.abs(stem).max() > 1e-3 for stem in stems)
    assert sampler.calls.count == planned.calls
