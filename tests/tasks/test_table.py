"""What all tasks have in common."""

import dataclasses

import numpy as np
import pytest
from conftest import MemoryStore, music

from msdm_cli.audio.formats import SUBTYPES
from msdm_cli.audio.source import ArraySource
from msdm_cli.audio.stem_finish import fit_gain
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions
from msdm_cli.tasks.separate import SONG, SeparateOptions
from msdm_cli.tasks.table import TASKS


class Counter:
    def __init__(self):
        self.totals = []
        self.units = 0

    def start(self, label, total, unit="calls"):
        assert isinstance(label, str)
        self.totals.append((total, unit))

    def advance(self, units=1):
        self.units += units


@pytest.fixture(params=["separate", "impute", "generate"])
def job(request, tiny_model):
    """A task, its sources and its options, longer than a chunk."""
    song = ArraySource(music(2 * 22050, 2), 22050)
    preset = tiny_model.spec.preset(request.param, "default")
    sources, options = {
        "separate": ({SONG: song}, SeparateOptions(preset, 3)),
        "impute": ({"drums": song}, ImputeOptions(preset, 3, ("piano",))),
        "generate": ({}, GenerateOptions(preset, 3, 2.0)),
    }[request.param]
    return TASKS[request.param], sources, options


def test_the_tasks_are_these():
    assert list(TASKS) == ["separate", "impute", "generate"]
    assert [name for name, row in TASKS.items() if row.copies_inputs] == ["impute"]


def test_blocks_have_the_names_the_length_and_the_calls_that_were_stated(job, tiny_model):
    row, sources, options = job
    assert isinstance(options, row.options)
    output = row.describe_output(tiny_model, sources, options)
    planned = row.plan(tiny_model, sources, options)
    progress = Counter()
    stream = row.run(tiny_model, sources, options, MemoryStore(), progress)
    blocks = list(stream)
    assert len(blocks) > 1
    for block in blocks:
        assert set(block.stems) | {"mixture"} >= set(row.name_outputs(tiny_model.spec, options))
        for stem in block.stems.values():
            assert stem.shape == block.mixture.shape
    assert {block.mixture.shape[0] for block in blocks} == {output.channels}
    assert sum(block.mixture.shape[1] for block in blocks) == output.frames
    assert len(planned.chunks) > 1
    assert progress.totals == [(planned.calls, "calls")]
    assert progress.units == stream.calls.count == planned.calls


def test_a_store_keeps_as_much_as_was_stated_and_makes_calls_needless(job, tiny_model):
    row, sources, options = job
    store, progress = MemoryStore(), Counter()
    first = list(row.run(tiny_model, sources, options, store, progress))
    planned = row.plan(tiny_model, sources, options)
    assert sum(chunk.size for chunk in store.chunks.values()) == planned.stored_samples
    again = row.run(tiny_model, sources, options, store, progress)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.mixture, two.mixture)
        for name, stem in one.stems.items():
            np.testing.assert_array_equal(stem, two.stems[name])
    assert again.calls.count == 0
    assert progress.units == 2 * planned.calls  # calls that are not made are reported too


def test_what_would_clip_is_fitted_beside_what_stays(job):
    row, sources, options = job
    finish = row.finish(options, SUBTYPES["PCM_16"], sources)
    # Given stems are copied beside what is imputed.
    assert finish.stay == (tuple(sources) if row.copies_inputs else ())
    loud = np.full((1, 2), 1.5)
    finish.apply({"piano": loud}, loud)
    fitted = finish.fit()
    assert fitted.gain == fit_gain(1.5, SUBTYPES["PCM_16"])
    assert fitted.apply({"piano": loud}, loud)["piano"][0, 0] < 2**31 - 1


def test_options_are_immutable(job):
    _, _, options = job
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.seed = 4
