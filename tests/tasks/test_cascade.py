import dataclasses
from functools import partial

import numpy as np
import pytest
from conftest import MemoryStore, music, spy_on_stages

from msdm_cli.audio.source import ArraySource
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.chosen import MEASURING_CALLS, ChosenOptions
from msdm_cli.progress import SilentProgress
from msdm_cli.representations.sketch import BANDS, FLOOR, MARGIN, find_sketch
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN, TOKEN_SAMPLES
from msdm_cli.tasks import cascade as module
from msdm_cli.tasks import generate, impute
from msdm_cli.tasks.calls import Calls, WatchedDenoiser
from msdm_cli.tasks.cascade import Cascade, CascadeOptions, Later, bind_alone
from msdm_cli.tasks.continuation import draw_chunks
from msdm_cli.tasks.controls import Controls, count_features
from msdm_cli.tasks.course import Stretch
from msdm_cli.tasks.known import Given
from msdm_cli.tasks.music import plan_music
from msdm_cli.tasks.stream import NoStore
from msdm_cli.tasks.tonality import STRENGTH

SEPARATOR, SKETCH, SOUND = range(3)
RATE = 22050
CALLS = 3 + 1
"""Of a chunk: of the sketch, and of the sound."""

CONTROLS = Controls(tempo=100.0, key="A minor", style="rock", playing=(True, True, None, None))

ROUNDING = 1e-3
"""In bels, of codes around 1 and sketches down to the floor in single precision."""


CHOSEN = Preset("chosen", ChosenOptions(3, 20.0, eta=0.5, candidates=3, sigma=5.0))
"""The sketch that is kept is one of three; each takes three calls, and some to be measured."""


def start(model, seconds, *, seed=1, controls=CONTROLS, store=None, progress=None, sketch=None):
    options = generate.GenerateOptions(
        model.spec.preset("generate", "default"),
        seed,
        seconds,
        sketch or model.spec.sketch_preset("generate", "default"),
        controls,
    )
    return generate.run(model, {}, options, store or NoStore(), progress or SilentProgress())


def start_imputation(model, given, *, rate=RATE, targets=("piano",), seed=1, store=None):
    options = impute.ImputeOptions(
        model.spec.preset("impute", "default"),
        seed,
        targets,
        model.spec.sketch_preset("impute", "default"),
    )
    sources = {name: ArraySource(samples, rate, name) for name, samples in given.items()}
    return impute.run(model, sources, options, store or NoStore(), SilentProgress())


def collect(stream):
    blocks = list(stream)
    stems = {
        name: np.concatenate([block.stems[name] for block in blocks], 1) for name in blocks[0].stems
    }
    return stems, np.concatenate([block.mixture for block in blocks], 1)


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, stem in one.items():
        np.testing.assert_array_equal(stem, other[name])


def assert_differ(one, other):
    for name, stem in one.items():
        assert (stem != other[name]).mean() > 0.9


@pytest.mark.parametrize("seconds", [0.001, 0.3, 16384 / RATE, 16385 / RATE, 1.2])
def test_music_of_any_length(tiny_cascade, seconds):
    stream = start(tiny_cascade, seconds)
    stems, mixture = collect(stream)
    assert tuple(stems) == tiny_cascade.spec.stems
    assert mixture.shape == (1, round(seconds * RATE))
    np.testing.assert_array_equal(np.stack(list(stems.values())).sum(0), mixture)
    assert all(1e-4 < np.abs(stem).max() < 10 for stem in stems.values())


def test_seed_and_controls_decide_every_sample(tiny_cascade):
    usual, again, other_seed, free, other_key = (
        collect(start(tiny_cascade, 0.5, **fields))[0]
        for fields in (
            {},
            {},
            {"seed": 2},
            {"controls": Controls()},
            {"controls": dataclasses.replace(CONTROLS, key="A major")},
        )
    )
    assert_same(usual, again)
    for other in (other_seed, free, other_key):
        assert_differ(usual, other)


def test_a_longer_song_begins_like_a_shorter_one(tiny_cascade):
    kept = tiny_cascade.spec.chunk_length - tiny_cascade.spec.context
    short, long = (collect(start(tiny_cascade, seconds))[0] for seconds in (0.9, 1.2))
    for name, stem in short.items():
        assert stem.shape[1] > kept
        np.testing.assert_array_equal(stem[:, :kept], long[name][:, :kept])


class CountingProgress(SilentProgress):
    """Counts calls that are made, and calls that need not be."""

    def __init__(self):
        self.made = self.skipped = self.total = 0

    def start(self, label, total):
        self.total = total

    def advance(self):
        self.made += 1

    def skip(self, calls):
        self.skipped += calls


@pytest.fixture(scope="module")
def song(tiny_cascade):
    """The stems of a song of three chunks, and what was kept of it."""
    store = MemoryStore()
    stems, _ = collect(start(tiny_cascade, 1.2, store=store))
    return stems, store.chunks


@pytest.mark.parametrize("kept", ["all", "sounds", "sketches", "begun", "odd"])
def test_what_a_store_has_is_not_drawn_again(tiny_cascade, song, kept):
    whole, drawn = song
    chunks = 3
    assert drawn.keys() == set(range(2 * chunks))
    choose = {
        "all": lambda index: True,
        "sounds": lambda index: index < chunks,
        "sketches": lambda index: index >= chunks,
        # Stopped in the sound of the second chunk.
        "begun": lambda index: index in (0, chunks, chunks + 1),
        "odd": lambda index: index % 2,
    }[kept]
    store = MemoryStore()
    store.chunks = {index: chunk for index, chunk in drawn.items() if choose(index)}
    there = [3 if index >= chunks else 1 for index in store.chunks]
    progress = CountingProgress()
    stream = start(tiny_cascade, 1.2, store=store, progress=progress)
    again, _ = collect(stream)
    assert_same(whole, again)
    assert progress.skipped == sum(there)
    assert progress.made == stream.calls.count
    assert progress.made + progress.skipped == progress.total == CALLS * chunks


def test_the_best_of_several_sketches_is_kept(tiny_cascade):
    """Candidates are measured alone: without controls, and without what was drawn before."""
    store, progress = MemoryStore(), CountingProgress()
    model, spies = spy_on_stages(tiny_cascade)
    whole, _ = collect(start(model, 1.2, store=store, progress=progress, sketch=CHOSEN))
    assert progress.made == progress.total == 3 * (3 * (3 + MEASURING_CALLS) + 1)
    # Calls that draw are guided; those that measure are told no controls at all.
    measured = [
        sigma[:, :, 0]
        for (_, sigma, _), told in zip(spies[SKETCH].asked, spies[SKETCH].told, strict=True)
        if not told.any()
    ]
    turns = np.eye(len(model.spec.stems), dtype=bool)
    expected = [np.where(turns, 5, others) for others in (20, 0)]
    assert len(measured) == 3 * 3 * MEASURING_CALLS
    np.testing.assert_array_equal(np.concatenate(measured), np.concatenate(expected * 9))
    for index in (1, 4, 5):  # Two of the sounds, and the sketch between them
        del store.chunks[index]
    assert_same(whole, collect(start(tiny_cascade, 1.2, store=store, sketch=CHOSEN))[0])


@pytest.mark.parametrize("call", [1, 2])
def test_a_song_that_was_stopped_goes_on_to_the_same_samples(tiny_cascade, song, call):
    def stop(number):
        if number == call:
            raise KeyboardInterrupt

    store = MemoryStore()
    stopped, spies = spy_on_stages(tiny_cascade, stop)
    with pytest.raises(KeyboardInterrupt):
        collect(start(stopped, 1.2, store=store))
    assert spies[SOUND].calls == call
    assert spies[SEPARATOR].calls == 0
    again, _ = collect(start(tiny_cascade, 1.2, store=store))
    assert_same(song[0], again)


def test_the_prior_is_told_the_controls_of_its_tokens(tiny_cascade):
    model, spies = spy_on_stages(tiny_cascade)
    stream = start(model, 1.2)
    collect(stream)
    tokens = tiny_cascade.spec.chunk_length // TOKEN_SAMPLES
    # 13 tokens: 8 of them, 4 known and 4 new, and the last 8.
    firsts = np.repeat((0, 3, 5), 3)
    for told, first in zip(spies[SKETCH].told, firsts, strict=True):
        # Guidance asks twice: with controls, and without.
        assert told.shape == (2, tokens, count_features(4))
        np.testing.assert_array_equal(told[0], CONTROLS.describe(first, tokens, 4))
        assert not told[1].any()


def test_a_sketch_leans_towards_its_key(tiny_cascade, monkeypatch):
    asked = []

    def lean(size, codes, key, stems, strength):
        asked.append((key, stems, strength))
        return np.full((len(stems), codes.numbers), size, np.float32)

    results = []
    for size in (0.0, 1.0):
        monkeypatch.setattr(module, "find_lean", partial(lean, size))
        results.append(collect(start(tiny_cascade, 0.3))[0])
    assert asked == [("A minor", tiny_cascade.spec.stems, STRENGTH["generate"])] * 2
    assert_differ(*results)
    collect(start(tiny_cascade, 0.3, controls=dataclasses.replace(CONTROLS, key=None)))
    assert len(asked) == 2


def test_known_tokens_reach_the_prior_clean(tiny_cascade):
    model, spies = spy_on_stages(tiny_cascade)
    store = MemoryStore()
    collect(start(model, 1.2, store=store, controls=Controls()))
    numbers = model.codes.numbers
    first = store.chunks[3].reshape(4, 8, numbers)
    for x, sigma, _ in spies[SKETCH].asked[3:6]:
        assert sigma.shape == (1, 4, 8)
        # Chunk 1 begins with token 3 of the song; up to token 7 all is known.
        assert not sigma[:, :, :4].any()
        assert (sigma[:, :, 4:] > 0).all()
        np.testing.assert_array_equal(x.reshape(4, 8, numbers)[:, :4], first[:, 3:7])


def test_the_sound_is_told_the_sketch_that_was_drawn(tiny_cascade):
    model, spies = spy_on_stages(tiny_cascade)
    store = MemoryStore()
    collect(start(model, 1.2, store=store))
    told = spies[SOUND].told
    frames = 8 * FRAMES_PER_TOKEN
    for index, heard in enumerate(told):
        assert heard.shape == (1, 4, BANDS + 1, frames)
        assert (heard[:, :, -1] == np.float32(0.2)).all()
        # What a chunk adds to the sketch, all of which is new in the first one.
        drawn = model.codes.decode(store.chunks[3 + index])
        new = drawn.shape[2]
        np.testing.assert_allclose(heard[0, :, :-1, frames - new :], drawn, atol=ROUNDING)
    # Token 3 of the song is token 0 of the second chunk.
    known = slice(3 * FRAMES_PER_TOKEN, 7 * FRAMES_PER_TOKEN)
    one, two = told[0][..., known], told[1][..., : 4 * FRAMES_PER_TOKEN]
    np.testing.assert_allclose(one, two, atol=ROUNDING)


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        (SEPARATOR, None),
        # Guidance asks twice: with controls, and without.
        (SKETCH, (2, 2, count_features(4))),
        (SOUND, (1, 4, BANDS + 1, 2 * FRAMES_PER_TOKEN)),
    ],
)
def test_a_stage_alone_is_told_what_it_is_told_in_a_task(tiny_cascade, stage, told):
    model, spies = spy_on_stages(tiny_cascade)
    alone = model.for_stage(stage)
    length = 2 * (model.codes.numbers if stage == SKETCH else TOKEN_SAMPLES)
    network = WatchedDenoiser(alone.choose(0), Calls(SilentProgress()), 0)
    x = np.ones((1, 4, length), np.float32)
    estimate = bind_alone(alone, length)(network)(x, np.ones((1, 4), np.float32), None)
    assert estimate.shape == x.shape
    assert spies[stage].calls == 1
    assert [heard.shape for heard in spies[stage].told if heard is not None] == [told] * bool(told)


def draw_beside(model, given, total):
    """All stems of an imputation, with the given ones, ``[S, total]``."""
    spec = model.spec
    options = CascadeOptions(
        spec.sketch_preset("impute", "default"), spec.preset("impute", "default"), 1, Controls()
    )
    music_options = impute.ImputeOptions(options.sound, 1, (), options.sketch)
    planned = plan_music(spec, Stretch(total), music_options)
    calls = Calls(SilentProgress())
    draw = Cascade(model, "impute", options, calls, NoStore(), len(planned.chunks)).draw

    def read(samples, start, stop):
        return np.pad(samples[start:stop], (0, max(0, stop - max(start, len(samples)))))

    reads = {stem: Given(partial(read, samples), margin=MARGIN) for stem, samples in given.items()}
    return np.concatenate(list(draw_chunks(draw, planned, reads, calls.stop)), 1)


@pytest.mark.parametrize("total", [700, 16384, 30_001])
def test_given_stems_come_back_to_the_last_bit(tiny_cascade, total):
    given = {1: music(total)[0], 3: music(total, seed=1)[0]}
    stems = draw_beside(tiny_cascade, given, total)
    assert stems.shape == (4, total)
    for stem, samples in given.items():
        np.testing.assert_array_equal(stems[stem], samples)
    assert all(np.abs(stems[stem]).max() > 1e-4 for stem in (0, 2))


def test_the_sketch_of_a_given_stem_is_known(tiny_cascade):
    model, spies = spy_on_stages(tiny_cascade)
    drums = music(30_001)[0]
    draw_beside(model, {1: drums}, len(drums))
    numbers = model.codes.numbers
    tokens = -(-len(drums) // TOKEN_SAMPLES)
    end = tokens * TOKEN_SAMPLES - len(drums)
    sketch = find_sketch(np.pad(drums, (MARGIN, MARGIN + end)))
    codes = model.codes.of_stem(1).encode(sketch[None])[0]
    kept = model.codes.of_stem(1).decode(codes[None])[0]
    starts = (0, 3, 6, 7)
    assert spies[SKETCH].calls == 3 * len(starts)
    for index, (x, sigma, _) in enumerate(spies[SKETCH].asked):
        first = starts[index // 3]
        assert not sigma[:, 1].any()
        assert sigma[:, 0, -1:].all()
        expected = codes[first * numbers : (first + 8) * numbers]
        np.testing.assert_allclose(x[0, 1], expected, atol=ROUNDING)
    for first, told, (_, sigma, _) in zip(
        starts, spies[SOUND].told, spies[SOUND].asked, strict=True
    ):
        frames = slice(first * FRAMES_PER_TOKEN, (first + 8) * FRAMES_PER_TOKEN)
        np.testing.assert_allclose(told[0, 1, :-1], kept[:, frames], atol=ROUNDING)
        assert list(sigma[0] > 0) == [True, False, True, True]


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_stems_are_imputed_beside_given_ones(tiny_cascade, rate, channels):
    drums = music(int(0.9 * rate), channels, rate)
    stems, mixture = collect(start_imputation(tiny_cascade, {"drums": drums}, rate=rate))
    again, _ = collect(start_imputation(tiny_cascade, {"drums": drums}, rate=rate))
    assert_same(stems, again)
    assert stems["piano"].shape == mixture.shape == drums.shape
    np.testing.assert_allclose(mixture, drums + stems["piano"], atol=1e-6)
    others = music(int(0.9 * rate), channels, rate, seed=9)
    heard, _ = collect(start_imputation(tiny_cascade, {"drums": others}, rate=rate))
    assert_differ(stems, heard)


def test_an_imputation_goes_on_from_what_a_store_has(tiny_cascade):
    given = {"drums": music(30_000)}
    store = MemoryStore()
    whole, _ = collect(start_imputation(tiny_cascade, given, store=store))
    for index in (1, len(store.chunks) // 2 + 1):
        del store.chunks[index]
    stream = start_imputation(tiny_cascade, given, store=store)
    assert_same(whole, collect(stream)[0])
    assert stream.calls.count == CALLS


def test_sketches_have_later_numbers_in_a_store():
    store = MemoryStore()
    later = Later(store, 5)
    later.save(2, np.full((1, 1), FLOOR))
    assert store.chunks.keys() == {7}
    assert later.load(2) is store.chunks[7]
    assert later.load(3) is None
