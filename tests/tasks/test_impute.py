import dataclasses

import numpy as np
import pytest
from conftest import MemoryStore, music, spy_on

from msdm_cli.audio import song_windows
from msdm_cli.audio.source import ArraySource
from msdm_cli.errors import UnsuitableAudio
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.impute import (
    ImputeOptions,
    describe_output,
    let_targets_play,
    name_outputs,
    plan,
    run,
)
from msdm_cli.tasks.stream import NoStore

SUM_TOLERANCE = 5 * 2.0**-24
"""Four stems of single precision, whose sums stay below 1: five roundings of half a unit."""


def choose(model, targets=("piano",), seed=1):
    return ImputeOptions(model.spec.preset("impute", "default"), seed, targets)


def open_arrays(given, rate=22050):
    return {name: ArraySource(samples, rate, name) for name, samples in given.items()}


def start(model, given, rate=22050, *, store=None, **fields):
    options = choose(model, **fields)
    return run(model, open_arrays(given, rate), options, store or NoStore(), SilentProgress())


def collect(stream):
    blocks = list(stream)
    stems = {
        name: np.concatenate([block.stems[name] for block in blocks], 1) for name in blocks[0].stems
    }
    return stems, np.concatenate([block.mixture for block in blocks], 1)


@pytest.mark.parametrize(
    ("rate", "channels", "seconds"), [(22050, 1, 0.3), (44100, 2, 2.5), (48000, 1, 1.0)]
)
def test_the_mixture_is_the_given_stem_and_the_targets(tiny_model, rate, channels, seconds):
    drums = music(int(seconds * rate), channels, rate)
    stems, mixture = collect(start(tiny_model, {"drums": drums}, rate, targets=("piano", "bass")))
    assert tuple(stems) == ("piano", "bass")
    for stem in stems.values():
        assert stem.shape == drums.shape
        assert np.abs(stem).max() > 1e-3
    assert np.abs(mixture).max() < 1
    np.testing.assert_allclose(drums + sum(stems.values()), mixture, atol=SUM_TOLERANCE)


def test_the_size_of_the_blocks_that_are_read_changes_nothing(tiny_model, monkeypatch):
    given = {"drums": music(2 * 44100, 2, 44100)}
    usual, _ = collect(start(tiny_model, given, 44100))
    monkeypatch.setattr(song_windows, "READ_FRAMES", 777)
    small, _ = collect(start(tiny_model, given, 44100))
    np.testing.assert_array_equal(usual["piano"], small["piano"])


def test_it_hears_the_given_stem_and_the_seed(tiny_model):
    one, other = music(22050, seed=1), music(22050, seed=2)
    first, again, second, third = (
        collect(start(tiny_model, {"drums": drums}, seed=seed))[0]["piano"]
        for drums, seed in ((one, 1), (one, 1), (other, 1), (one, 2))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != second).mean() > 0.9
    assert (first != third).mean() > 0.9


def test_the_network_gets_the_mean_of_the_channels_without_noise(tiny_model):
    model, spy = spy_on(tiny_model)
    drums = music(11 * 1024, 2)
    collect(start(model, {"drums": drums}))
    assert spy.calls == 3
    for x, sigma, mixture in spy.asked:
        np.testing.assert_array_equal(x[0, 1], drums.mean(0))
        assert list(sigma[0] > 0) == [True, False, True, True]
        assert mixture is None


def test_a_stem_that_is_neither_given_nor_a_target_is_not_in_the_mixture(tiny_model):
    given = {"drums": music(11025), "bass": music(11025, seed=3)}
    stems, mixture = collect(start(tiny_model, given, targets=("guitar",)))
    assert tuple(stems) == ("guitar",)
    expected = stems["guitar"] + given["drums"] + given["bass"]
    np.testing.assert_allclose(mixture, expected, atol=SUM_TOLERANCE)


def test_mono_and_stereo_go_together(tiny_model):
    given = {"drums": music(22050, 2), "bass": music(22050, 1)}
    stems, mixture = collect(start(tiny_model, given))
    assert stems["piano"].shape == mixture.shape == (2, 22050)
    expected = stems["piano"] + given["drums"] + given["bass"]
    np.testing.assert_allclose(mixture, expected, atol=SUM_TOLERANCE)


@pytest.mark.parametrize(
    ("rate", "frames", "channels", "words"),
    [
        (48000, 44100, 2, "drums has 44100 Hz, bass has 48000"),
        (44100, 44101, 2, "drums has 44100 samples, bass has 44101"),
        (44100, 44100, 3, "drums has 2 channels, another given stem has 3"),
    ],
)
def test_given_stems_must_fit_each_other(tiny_model, rate, frames, channels, words):
    sources = {
        "drums": ArraySource(np.zeros((2, 44100)), 44100, "drums"),
        "bass": ArraySource(np.zeros((channels, frames)), rate, "bass"),
    }
    with pytest.raises(UnsuitableAudio, match=words):
        run(tiny_model, sources, choose(tiny_model), NoStore(), SilentProgress())


def test_what_a_store_has_is_not_drawn_again(tiny_model):
    store = MemoryStore()
    given = {"drums": music(30_000)}
    first = start(tiny_model, given, store=store)
    drawn, _ = collect(first)
    again = start(tiny_model, given, store=store)
    recalled, _ = collect(again)
    assert (first.calls.count, again.calls.count) == (9, 0)
    np.testing.assert_array_equal(drawn["piano"], recalled["piano"])


def test_the_plan_is_of_the_length_at_the_models_rate(tiny_model):
    given = open_arrays({"drums": np.zeros((2, 44100))}, 44100)
    planned = plan(tiny_model, given, choose(tiny_model))
    assert planned.chunks[-1].core_stop == 22050
    assert (planned.calls_per_chunk, planned.batch, planned.signals) == (3, 1, 4)
    output = describe_output(tiny_model, given, choose(tiny_model))
    assert output == given["drums"].properties
    assert name_outputs(tiny_model.spec, choose(tiny_model)) == ("piano", "mixture")


def test_targets_are_asked_to_play(tiny_model):
    preset = tiny_model.spec.preset("impute", "default")
    options = ImputeOptions(preset, 1, ("piano",))
    assert let_targets_play(tiny_model.spec, options).playing == (None, None, None, True)
    asked = Controls(playing=(None, None, None, False))
    chosen = dataclasses.replace(options, controls=asked)
    assert let_targets_play(tiny_model.spec, chosen) == asked
