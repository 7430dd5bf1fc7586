import dataclasses

import numpy as np
import pytest
from conftest import SpyDenoiser, spy_on_stages

from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.cascade import Cascade
from msdm_cli.tasks.continuation import Continuation
from msdm_cli.tasks.course import Stretch
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.music import choose_draw, plan_music
from msdm_cli.tasks.stream import NoStore


def choose(model, seed=1):
    spec = model.spec
    preset, sketch = spec.preset("generate", "default"), spec.sketch_preset("generate", "default")
    return GenerateOptions(preset, seed, 1.0, sketch)


def open_draw(model, options, total=20_000):
    planned = plan_music(model.spec, Stretch(total), options)
    kept = Calls(SilentProgress()), NoStore()
    return choose_draw(model, "generate", options, planned, kept), planned


def test_a_model_of_one_stage_continues_music_in_one_step(tiny_model):
    draw, planned = open_draw(tiny_model, choose(tiny_model))
    assert isinstance(draw.__self__, Continuation)
    assert planned.calls_per_chunk == 3
    assert draw(0, planned.chunks[0], {}).shape == (4, planned.chunks[0].core_stop)


def test_a_model_of_two_stages_sketches_first(tiny_cascade):
    draw, planned = open_draw(tiny_cascade, choose(tiny_cascade))
    assert isinstance(draw.__self__, Cascade)
    assert planned.calls_per_chunk == 3 + 1
    assert draw(0, planned.chunks[0], {}).shape == (4, planned.chunks[0].core_stop)


def test_a_later_stage_can_make_music_alone(tiny_cascade):
    first, sketch, sound = tiny_cascade.spec.stages
    stages = (
        first,
        dataclasses.replace(sketch, presets={}),
        dataclasses.replace(sound, representation="waveform"),
    )
    spec = dataclasses.replace(tiny_cascade.spec, stages=stages)
    separator = tiny_cascade.choose(0)
    alone = dataclasses.replace(tiny_cascade, spec=spec, openers=(lambda stage: separator,))
    model, spies = spy_on_stages(alone)
    options = dataclasses.replace(choose(model), sketch=None)
    draw, planned = open_draw(model, options)
    drawn = draw(0, planned.chunks[0], {})
    assert np.abs(drawn).max() > 1e-4
    assert [spy.calls for spy in spies] == [0, 0, planned.calls_per_chunk]


@pytest.mark.parametrize(("seed", "device"), [(4, 0), (5, 1)])
def test_songs_take_turns_on_devices_with_all_their_stages(tiny_cascade, seed, device):
    opener = tiny_cascade.openers[0]
    rows = [[SpyDenoiser(opener(stage)) for stage in range(3)] for _ in range(2)]
    model = dataclasses.replace(
        tiny_cascade,
        denoisers=tuple(row[0] for row in rows),
        openers=tuple(row.__getitem__ for row in rows),
    )
    draw, planned = open_draw(model, choose(model, seed), total=3000)
    draw(0, planned.chunks[0], {})
    assert [[spy.calls for spy in row] for row in (rows[device], rows[1 - device])] == [
        [0, 3, 1],
        [0, 0, 0],
    ]
