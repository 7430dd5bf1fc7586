import dataclasses
import math

import numpy as np
import pytest
from conftest import MemoryStore, music, spy_on

from msdm_cli.audio.source import ArraySource, AudioProperties
from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import UnsuitableAudio
from msdm_cli.models.load import load
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks import generate, impute
from msdm_cli.tasks.completion import Completion, choose_gain
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.original import count_fade
from msdm_cli.tasks.stream import NoStore

RATE = 22050
STEMS = ("bass", "drums", "guitar", "piano")
SUM_TOLERANCE = 5 * 2.0**-24


def options_of(model, task, **fields):
    kind = {"impute": impute.ImputeOptions, "generate": generate.GenerateOptions}[task]
    presets = model.spec.preset(task, "default"), model.spec.sketch_preset(task, "default")
    return kind(preset=presets[0], sketch=presets[1], **{"seed": 1} | fields)


def open_arrays(given, rate=RATE):
    return {name: ArraySource(samples, rate, name) for name, samples in given.items()}


def collect(stream):
    blocks = list(stream)
    stems = {
        name: np.concatenate([block.stems[name] for block in blocks], 1) for name in blocks[0].stems
    }
    return stems, np.concatenate([block.mixture for block in blocks], 1)


def repaint(model, given, part, targets=("piano",), rate=RATE, store=None, **fields):
    options = options_of(model, "impute", targets=targets, part=part, **fields)
    sources = open_arrays(given, rate)
    return impute.run(model, sources, options, store or NoStore(), SilentProgress())


def extend(model, given, seconds, rate=RATE, store=None, **fields):
    options = options_of(model, "generate", seconds=seconds, **fields)
    sources = open_arrays(given, rate)
    return generate.run(model, sources, options, store or NoStore(), SilentProgress())


def make_band(frames, channels=1, rate=RATE):
    return {name: music(frames, channels, rate, seed) for seed, name in enumerate(STEMS)}


@pytest.fixture(params=["one stage", "two stages"])
def model(request, tiny_model, tiny_cascade):
    return tiny_model if request.param == "one stage" else tiny_cascade


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_outside_of_the_part_a_stem_stays_as_it_is(tiny_cascade, rate, channels):
    band = make_band(2 * rate, channels, rate)
    stems, mixture = collect(repaint(tiny_cascade, band, (0.7, 1.2), rate=rate))
    first, stop = round(0.7 * rate), round(1.2 * rate)
    piano = stems["piano"]
    assert piano.shape == band["piano"].shape
    outside = np.r_[0:first, stop : 2 * rate]
    np.testing.assert_array_equal(piano[:, outside], band["piano"][:, outside])
    assert (piano[:, first:stop] != band["piano"][:, first:stop]).mean() > 0.9
    others = sum(band[name] for name in STEMS if name != "piano")
    np.testing.assert_allclose(mixture, others + piano, atol=SUM_TOLERANCE)


def test_the_network_knows_what_is_before_and_after_the_part(tiny_model):
    """Where the part ends, its network hears the very stem."""
    watched, spy = spy_on(tiny_model)
    band = make_band(3 * RATE)
    collect(repaint(watched, band, (1.4, 1.6)))
    chunk = tiny_model.spec.chunk_length
    assert {x.shape[2] for x, _, _ in spy.asked} == {chunk}
    for x, sigma, _ in spy.asked:
        assert list(sigma[0] > 0) == [False, False, False, True]
        middle = x[0, 0, chunk // 4 : 3 * chunk // 4]
        places = np.lib.stride_tricks.sliding_window_view(band["bass"][0], len(middle))
        assert (places == middle).all(1).any()


def test_of_a_long_part_the_chunks_lead_to_what_follows(tiny_cascade):
    band = make_band(4 * RATE)
    store = MemoryStore()
    stems, _ = collect(repaint(tiny_cascade, band, (1.0, 3.0), store=store))
    sounds = [store.chunks[index] for index in range(len(store.chunks) // 2)]
    assert len(sounds) > 3
    # The chunks begin before the part and end after it, where they are what was there.
    drawn = np.concatenate(sounds, 1)
    starts = [
        start
        for start in range(0, RATE, 2048)
        if np.array_equal(drawn[3, :100], band["piano"][0, start : start + 100])
    ]
    assert len(starts) == 1
    end = starts[0] + drawn.shape[1]
    assert end > 3 * RATE + 2048
    np.testing.assert_array_equal(drawn[3, 3 * RATE - end :], band["piano"][0, 3 * RATE : end])
    assert stems["piano"].shape == (1, 4 * RATE)


def test_a_stem_that_is_not_there_plays_in_the_part_alone(model):
    drums = {"drums": music(2 * RATE)}
    stems, mixture = collect(repaint(model, drums, (0.5, 1.0), targets=("piano", "bass")))
    for stem in stems.values():
        first, stop = RATE // 2, RATE
        assert not stem[:, :first].any()
        assert not stem[:, stop:].any()
        assert np.abs(stem[:, first:stop]).max() > 1e-4
    np.testing.assert_allclose(mixture, drums["drums"] + sum(stems.values()), atol=SUM_TOLERANCE)


def test_a_stem_that_is_not_there_does_not_rest_in_its_part():
    """Known to rest around the part, it would rest in it, too: the prior would go on with it."""
    model = load("embedded", Runtime(device="cpu"))
    stems, _ = collect(
        repaint(model, {"bass": music(6 * RATE)}, (2.0, 4.0), targets=("guitar", "piano"))
    )
    for stem in stems.values():
        assert np.abs(stem[:, 2 * RATE : 4 * RATE]).max() > 0.01


@pytest.mark.parametrize("part", [(0.0, 0.5), (1.5, None), (1.5, 99.0), (1.5, math.inf)])
def test_a_part_may_be_the_beginning_or_the_end(model, part):
    band = make_band(2 * RATE)
    stems, _ = collect(repaint(model, band, part))
    changed = np.flatnonzero(stems["piano"][0] != band["piano"][0]) / RATE
    stop = min(part[1] or 2.0, 2.0)
    assert part[0] <= changed.min() < part[0] + 0.01
    assert stop - 0.01 < changed.max() < stop


def test_a_part_after_the_end_is_refused(tiny_model):
    with pytest.raises(UnsuitableAudio, match="have 1 s, so that there is nothing from 1 s on"):
        repaint(tiny_model, make_band(RATE), (1.0, 2.0))
    with pytest.raises(UnsuitableAudio, match=r"there is nothing from 1e\+308 s on"):
        repaint(tiny_model, make_band(RATE), (1e308, None))


def test_a_part_has_a_sample(tiny_model):
    with pytest.raises(UnsuitableAudio, match=r"from 0.5 s to 0.50001 s has no sample") as raised:
        repaint(tiny_model, make_band(RATE), (0.5, 0.50001))
    assert raised.value.remedy == "Choose a longer part."


@pytest.mark.parametrize("part", [(1.0, 1.0), (2.0, 1.0), (-1.0, None), (float("nan"), None)])
def test_a_part_ends_after_it_begins(tiny_model, part):
    with pytest.raises(ValueError, match="expected a part"):
        options_of(tiny_model, "impute", part=part)


def test_a_part_of_a_long_song_costs_only_its_chunks(tiny_cascade):
    options = options_of(tiny_cascade, "impute", targets=("piano",), part=(60.0, 60.2))
    sources = open_arrays({"piano": np.zeros((1, 120 * RATE))})
    assert len(impute.plan(tiny_cascade, sources, options).chunks) == 1


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_what_is_continued_comes_first_as_it_is(tiny_cascade, rate, channels):
    band = make_band(rate, channels, rate)
    stems, mixture = collect(extend(tiny_cascade, band, 0.8, rate=rate))
    total = rate + round(0.8 * rate)
    assert tuple(stems) == STEMS
    for name, stem in stems.items():
        assert stem.shape == (channels, total)
        np.testing.assert_array_equal(stem[:, :rate], band[name])
        assert np.abs(stem[:, rate + rate // 10 :]).max() > 1e-4
    np.testing.assert_allclose(mixture, sum(stems.values()), atol=SUM_TOLERANCE)


def test_a_stem_that_is_missing_has_rested_before_a_continuation(model):
    stems, _ = collect(extend(model, {"drums": music(RATE)}, 0.8))
    assert tuple(stems) == STEMS
    for name in ("bass", "guitar", "piano"):
        assert not stems[name][:, :RATE].any()
        assert np.abs(stems[name][:, RATE:]).max() > 1e-4


def test_a_continuation_hears_what_it_continues(tiny_cascade):
    one, again, other = (
        collect(extend(tiny_cascade, {"drums": music(RATE, seed=seed)}, 0.5))[0]["bass"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one[:, RATE:] != other[:, RATE:]).mean() > 0.9


def test_a_generation_that_is_continued_goes_on_where_it_ended(tiny_cascade):
    """There is no step between what was there and what comes, larger than a step in the music."""
    options = options_of(tiny_cascade, "generate", seconds=0.5)
    made, _ = collect(generate.run(tiny_cascade, {}, options, NoStore(), SilentProgress()))
    stems, _ = collect(extend(tiny_cascade, made, 0.5, seed=2))
    place = next(iter(made.values())).shape[1]
    for stem in stems.values():
        steps = np.abs(np.diff(stem[0]))
        assert steps[place - 1] <= steps[: place - 1].max()


@pytest.mark.parametrize("draw", [repaint, extend])
def test_what_a_store_has_is_not_drawn_again(tiny_cascade, draw):
    band = make_band(3 * RATE)
    how = (0.5, 2.5) if draw is repaint else 2.0
    store = MemoryStore()
    whole, _ = collect(draw(tiny_cascade, band, how, store=store))
    for index in (1, len(store.chunks) // 2 + 1):
        del store.chunks[index]
    stream = draw(tiny_cascade, band, how, store=store)
    again, _ = collect(stream)
    assert stream.calls.count == 3 + 1
    for name, stem in whole.items():
        np.testing.assert_array_equal(stem, again[name])


def test_the_plan_is_what_is_done(tiny_cascade):
    band = make_band(3 * RATE)
    for draw, module, options in (
        (repaint, impute, options_of(tiny_cascade, "impute", targets=("piano",), part=(1, 2.5))),
        (extend, generate, options_of(tiny_cascade, "generate", seconds=2.0)),
    ):
        stream = draw(tiny_cascade, band, (1, 2.5) if draw is repaint else 2.0)
        collect(stream)
        planned = module.plan(tiny_cascade, open_arrays(band), options)
        assert planned.calls == stream.calls.count


@pytest.mark.parametrize("draw", [repaint, extend])
def test_what_is_drawn_stands_where_the_stem_does(tiny_cascade, draw):
    piano = np.concatenate([1.5 * music(2 * RATE), 0.5 * music(2 * RATE)])
    stems, _ = collect(draw(tiny_cascade, {"piano": piano}, (1.0, 1.5) if draw is repaint else 0.5))
    first = RATE if draw is repaint else 2 * RATE
    inside = slice(first + count_fade(RATE), first + RATE // 2 - count_fade(RATE))
    left, right = stems["piano"][:, inside]
    assert np.abs(left).max() > 1e-4
    np.testing.assert_allclose(left, 3 * right, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("quieter", [4, 256])
def test_beside_quiet_stems_what_is_drawn_is_as_quiet(tiny_cascade, quieter):
    spec = dataclasses.replace(tiny_cascade.spec, level_db=-22.0)
    model = dataclasses.replace(tiny_cascade, spec=spec)
    controls = Controls(tempo=100.0, key="A minor", first_beat=0.0)
    band = {name: np.float32(0.2) * stem for name, stem in make_band(RATE).items()}
    quiet = {name: stem / np.float32(quieter) for name, stem in band.items()}
    for draw in (
        lambda given: extend(model, given, 0.5, controls=controls),
        lambda given: repaint(model, given, (0.2, 0.6), controls=controls),
    ):
        loud, soft = (collect(draw(given))[0]["piano"] for given in (band, quiet))
        np.testing.assert_array_equal(loud, soft * np.float32(quieter))


def test_stems_that_are_as_loud_as_those_of_the_training_are_heard_as_they_are(tiny_cascade):
    spec = dataclasses.replace(tiny_cascade.spec, level_db=-22.0)
    tone = np.full((1, RATE), 10 ** (-28 / 20))
    for count in (1, 2, 4):
        assert choose_gain(spec, open_arrays(dict.fromkeys(STEMS[:count], tone))) == 1
        assert choose_gain(spec, open_arrays(dict.fromkeys(STEMS[:count], tone / 16))) == 16
    assert choose_gain(tiny_cascade.spec, open_arrays({"bass": tone / 16})) == 1


def test_cross_fades_lie_inside_of_the_part():
    output = AudioProperties(RATE, 1, 10_000, "PCM_16")
    fade = count_fade(RATE)
    inside = Completion(("piano",), output, (2000, 8000))
    weights = np.concatenate([inside.weigh(0, 4000), inside.weigh(4000, 6000)])
    assert not weights[:2000].any()
    assert not weights[8000:].any()
    assert (weights[2000 + fade : 8000 - fade] == 1).all()
    assert (np.diff(weights[2000 : 2000 + fade]) > 0).all()
    np.testing.assert_allclose(weights, weights[::-1], atol=1e-6)
    for part in ((0, 10_000), (0, 8000), (2000, 10_000)):
        weights = dataclasses.replace(inside, part=part).weigh(0, 10_000)
        assert (weights[0] == 1) == (part[0] == 0)
        assert (weights[-1] == 1) == (part[1] == 10_000)
