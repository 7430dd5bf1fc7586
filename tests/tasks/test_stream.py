import numpy as np
import pytest
from conftest import MemoryStore

from msdm_cli.audio.chunks import Chunk, Chunks
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.stream import NoStore, StemBlock, StemStream, TaskPlan, recall


def fail():
    raise AssertionError("called in vain")


def test_a_chunk_is_drawn_once_and_then_recalled():
    store = MemoryStore()
    drawn = np.ones((2, 3), np.float32)
    skipped = []
    assert recall(store, 4, lambda: drawn, fail, (2, 3)) is drawn
    assert recall(store, 4, fail, lambda: skipped.append(4), (2, 3)) is drawn
    assert skipped == [4]
    assert store.chunks.keys() == {4}


@pytest.mark.parametrize("shape", [(3, 2), (6,), (2, 4), ()])
def test_what_has_another_shape_is_drawn_anew(shape):
    store = MemoryStore()
    store.chunks[4] = np.zeros(shape, np.float32)
    drawn = np.ones((2, 3), np.float32)
    assert recall(store, 4, lambda: drawn, fail, (2, 3)) is drawn
    assert store.chunks[4] is drawn


def test_nothing_is_recalled_from_no_store():
    store = NoStore()
    first = recall(store, 0, lambda: np.zeros(1, np.float32), fail, (1,))
    second = recall(store, 0, lambda: np.ones(1, np.float32), fail, (1,))
    assert (first[0], second[0]) == (0, 1)


@pytest.mark.parametrize(("chunks", "stored"), [(1, 0), (2, 3 * 20), (3, 3 * 30)])
def test_a_plan_counts_calls_and_samples_that_a_store_keeps(chunks, stored):
    cut = Chunks(chunks, lambda k: Chunk(10 * k, 10 * k + 12, 10 * k, 10 * k + 10))
    plan = TaskPlan(cut, calls_per_chunk=4, batch=1, signals=3, independent=True)
    assert plan.calls == 4 * chunks
    assert plan.stored_samples == stored  # a single chunk is held in memory alone


def test_a_stream_gives_its_blocks_and_ends_its_task_when_closed():
    ended = []
    block = StemBlock({"bass": np.zeros((1, 2))}, np.zeros((1, 2)))

    def blocks():
        try:
            yield block
            yield block
        finally:
            ended.append(True)

    stream = StemStream(blocks(), Calls(SilentProgress()))
    assert next(iter(stream)) is block
    stream.close()
    assert ended == [True]
    assert list(stream) == []
    StemStream(iter([block]), Calls(SilentProgress())).close()  # an iterator that cannot be closed
