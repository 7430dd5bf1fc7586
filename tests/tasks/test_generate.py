import numpy as np
import pytest
from conftest import MemoryStore, SpyDenoiser, replace_denoisers

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.regression import RegressionOptions
from msdm_cli.errors import UnsuitableAudio
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, describe_output, name_outputs, plan, run
from msdm_cli.tasks.stream import NoStore


def choose(model, seconds, seed=1):
    return GenerateOptions(model.spec.preset("generate", "default"), seed, seconds)


def start(model, seconds, seed=1, store=None):
    options = choose(model, seconds, seed)
    return run(model, {}, options, store or NoStore(), SilentProgress())


def collect(stream):
    blocks = list(stream)
    stems = {
        name: np.concatenate([block.stems[name] for block in blocks], 1) for name in blocks[0].stems
    }
    return stems, np.concatenate([block.mixture for block in blocks], 1)


@pytest.mark.parametrize("seconds", [0.001, 0.5, 2.0])
def test_any_length_and_the_mixture_is_the_sum(tiny_model, seconds):
    stems, mixture = collect(start(tiny_model, seconds))
    assert tuple(stems) == tiny_model.spec.stems
    assert mixture.shape == (1, round(seconds * 22050))
    np.testing.assert_array_equal(np.stack(list(stems.values())).sum(0), mixture)
    assert all(np.abs(stem).max() > 0 for stem in stems.values())


def test_the_seed_decides_every_sample(tiny_model):
    one, two, other = (collect(start(tiny_model, 1.5, seed))[0] for seed in (1, 1, 2))
    for name, stem in one.items():
        np.testing.assert_array_equal(stem, two[name])
        assert (stem != other[name]).mean() > 0.9


def test_a_longer_song_begins_like_a_shorter_one(tiny_model):
    length = tiny_model.spec.chunk_length - tiny_model.spec.context
    short, long = (collect(start(tiny_model, seconds))[0]["piano"] for seconds in (1.5, 2.5))
    assert short.shape[1] > length
    np.testing.assert_array_equal(short[:, :length], long[:, :length])


@pytest.mark.parametrize(("seed", "device"), [(4, 0), (5, 1)])
def test_seeds_take_turns_on_devices_and_a_song_stays_on_one(tiny_model, seed, device):
    spies = [SpyDenoiser(tiny_model.choose(0)) for _ in range(2)]
    stream = start(replace_denoisers(tiny_model, *spies), 2.0, seed)
    shared, _ = collect(stream)
    alone, _ = collect(start(tiny_model, 2.0, seed))
    np.testing.assert_array_equal(shared["drums"], alone["drums"])
    assert (spies[device].calls, spies[1 - device].calls) == (stream.calls.count, 0)


def test_what_a_store_has_is_not_drawn_again(tiny_model):
    store = MemoryStore()
    first = start(tiny_model, 1.5, store=store)
    drawn, _ = collect(first)
    again = start(tiny_model, 1.5, store=store)
    recalled, _ = collect(again)
    assert again.calls.count == 0 < first.calls.count
    np.testing.assert_array_equal(drawn["drums"], recalled["drums"])


def test_a_sampler_without_noise_needs_no_seed(tiny_model):
    options = GenerateOptions(Preset("regression", RegressionOptions()), None, 0.5)
    _, mixture = collect(run(tiny_model, {}, options, NoStore(), SilentProgress()))
    assert mixture.shape == (1, 11025)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, -1.0])
def test_no_length_is_refused(tiny_model, seconds):
    with pytest.raises(UnsuitableAudio, match="is no length"):
        start(tiny_model, seconds)


@pytest.mark.parametrize("seconds", [1e9, float("nan"), float("inf"), -float("inf")])
def test_no_music_is_longer_than_a_day(tiny_model, seconds):
    with pytest.raises(ValueError, match="expected up to 86400 s"):
        choose(tiny_model, seconds)


def test_the_plan_is_of_the_length_at_the_models_rate(tiny_model):
    options = choose(tiny_model, 2.0)
    planned = plan(tiny_model, {}, options)
    assert planned.chunks[-1].core_stop == 44_100
    assert planned.calls == 3 * len(planned.chunks)
    output = describe_output(tiny_model, {}, options)
    assert (output.sample_rate, output.channels, output.frames) == (22050, 1, 44_100)
    assert name_outputs(tiny_model.spec, options) == (*tiny_model.spec.stems, "mixture")
