import dataclasses
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    STEMS,
    WAIT_SECONDS,
    MemoryStore,
    SpyDenoiser,
    music,
    replace_denoisers,
    spy_on,
)

from msdm_cli.audio import song_windows, source
from msdm_cli.audio.chunks import ChunkPlan
from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.source import ArraySource
from msdm_cli.audio.stem_finish import RESIDUAL
from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import BackendUnavailable, NonFiniteSamples
from msdm_cli.models.load import load
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks import separate as module
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.separate import (
    SONG,
    SeparateOptions,
    describe_output,
    name_outputs,
    plan,
    run,
)
from msdm_cli.tasks.stream import NoStore

SUM_TOLERANCE = 1e-12
"""Stems and song are doubles below 10 here: four additions and a product round by 1e-15 each."""

SINGLE_ULP = 2.0**-23


def choose(model, quality="fast", seed=5, **fields):
    return SeparateOptions(model.spec.preset("separate", quality), seed, **fields)


def start(model, song, rate=22050, store=None, **fields):
    sources = {SONG: ArraySource(song, rate)}
    return run(model, sources, choose(model, **fields), store or NoStore(), SilentProgress())


def collect(stream):
    blocks = list(stream)
    stems = {
        name: np.concatenate([block.stems[name] for block in blocks], 1) for name in blocks[0].stems
    }
    return stems, np.concatenate([block.mixture for block in blocks], 1)


@pytest.mark.parametrize(
    ("rate", "channels", "quality"),
    [
        (44100, 2, "fast"),
        (48000, 1, "fast"),
        (48000, 1, "default"),
        (22050, 3, "fast"),
        (8000, 1, "fast"),
    ],
)
def test_stems_sum_to_the_song(tiny_model, rate, channels, quality):
    song = music(int(2.1 * rate), channels, rate)
    stems, mixture = collect(start(tiny_model, song, rate, quality=quality))
    assert tuple(stems) == STEMS
    np.testing.assert_array_equal(mixture, song)
    np.testing.assert_allclose(sum(stems.values()), song, atol=SUM_TOLERANCE)
    assert all(np.abs(stem).max() > 1e-3 for stem in stems.values())


def test_the_size_of_the_blocks_that_are_read_changes_nothing(tiny_model, monkeypatch):
    song = music(4 * 44100, 2, 44100)
    usual, _ = collect(start(tiny_model, song, 44100))
    monkeypatch.setattr(song_windows, "READ_FRAMES", 777)
    small, _ = collect(start(tiny_model, song, 44100))
    for name in STEMS:
        np.testing.assert_array_equal(usual[name], small[name])


def test_the_seed_decides_every_sample(tiny_model):
    song = music(22050)
    one, two, other = (
        collect(start(tiny_model, song, quality="default", seed=seed))[0] for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(one["bass"], two["bass"])
    assert (one["bass"] != other["bass"]).mean() > 0.9


def test_a_seed_changes_nothing_where_the_sampler_uses_no_noise(tiny_model):
    song = music(22050)
    one, other = (collect(start(tiny_model, song, seed=seed))[0] for seed in (None, 6))
    for name in STEMS:
        np.testing.assert_array_equal(one[name], other[name])


class FilterBank:
    """A network that hears no farther than ``reach`` samples: a stem is the mixture, filtered."""

    takes_mixture = True
    shares_sigma = False

    def __init__(self, reach):
        rng = np.random.default_rng(0)
        filters = rng.standard_normal((4, 2 * reach + 1)) / reach**0.5
        filters[3] = -filters[:3].sum(0)
        filters[3, reach] += 1  # the filters sum to a click: the stems sum to the mixture
        self.reach = reach
        self.filters = filters

    def __call__(self, x, sigma, mixture=None):
        length = mixture.shape[-1] + 2 * self.reach
        spectrum = np.fft.rfft(mixture.astype(np.float64), length)
        filtered = np.fft.irfft(spectrum[:, None] * np.fft.rfft(self.filters, length), length)
        return filtered[..., self.reach : -self.reach].astype(np.float32)


def measure_seams(model, reach):
    """The largest difference between many chunks and a single one, and the peak of the stems."""
    song = music(3 * 22050)
    many = replace_denoisers(model, FilterBank(reach))
    spec = dataclasses.replace(many.spec, chunk_length=81920)
    single = dataclasses.replace(many, spec=spec)
    stems = [np.stack(list(collect(start(each, song))[0].values())) for each in (many, single)]
    return np.abs(stems[0] - stems[1]).max(), np.abs(stems[1]).max()


def test_chunks_of_a_network_that_hears_no_farther_than_the_context_leave_no_trace(tiny_model):
    error, peak = measure_seams(tiny_model, tiny_model.spec.context)
    # What the network returns is rounded to single precision, here and there differently, and so
    # are the cross-fade's two products, sum and quotient: five roundings, of half a unit each.
    assert error <= 2.5 * SINGLE_ULP * peak
    farther, _ = measure_seams(tiny_model, 2 * tiny_model.spec.context)
    assert farther > 1000 * error


def test_a_residual_of_its_own_holds_what_lies_above_the_models_band(tiny_model):
    rate = 44100
    song = music(rate, 2, rate)
    stems, _ = collect(start(tiny_model, song, rate, residual=True))
    assert tuple(stems) == (*STEMS, RESIDUAL)
    np.testing.assert_allclose(sum(stems.values()), song, atol=SUM_TOLERANCE)
    power = np.abs(np.fft.rfft(stems[RESIDUAL][0])) ** 2  # a bin is 1 Hz
    assert power[9000:].sum() > 100 * power[:4500].sum()


def test_channels_that_are_the_same_stay_the_same(tiny_model):
    """They share their noise."""
    song = np.repeat(music(22050), 2, 0)
    stems, _ = collect(start(tiny_model, song, quality="default"))
    for stem in stems.values():
        np.testing.assert_array_equal(stem[0], stem[1])


def test_many_channels_are_drawn_two_at_a_time(tiny_model):
    model, spy = spy_on(tiny_model)
    song = music(11025, 5)
    stream = start(model, song)
    stems, _ = collect(stream)
    assert [len(x) for x, _, _ in spy.asked] == [2, 2, 1]
    assert stream.calls.count == 3
    np.testing.assert_allclose(sum(stems.values()), song, atol=SUM_TOLERANCE)


@pytest.mark.parametrize(
    ("channels", "length"), [(32, 16384), (33, 16384), (64, 8192), (100, 6144), (256, 4096)]
)
def test_many_channels_share_the_memory_of_a_chunk(tiny_model, channels, length):
    song = {SONG: ArraySource(np.zeros((channels, 50_000)), 22050)}
    first = plan(tiny_model, song, choose(tiny_model)).chunks[0]
    assert first.stop == length


def measure_memory(model, channels):
    """The peak of a separation of two long chunks, in bytes."""
    song = music(2 * 16384, channels)
    tracemalloc.start()
    try:
        for block in start(model, song):
            total = sum(block.stems.values())
            np.testing.assert_allclose(total, block.mixture, atol=SUM_TOLERANCE)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_hardly_grows_with_the_channels(tiny_model, monkeypatch):
    monkeypatch.setattr(module, "CHANNELS_PER_CHUNK", 4)
    monkeypatch.setattr(source, "MOST_BLOCK_SAMPLES", 1 << 17)
    model = replace_denoisers(tiny_model, FilterBank(10))
    few, many = (measure_memory(model, channels) for channels in (4, 32))
    # Eight times the channels; the song itself is held several times.
    assert many < 4 * few


def test_a_network_that_fails_is_an_error_that_names_the_chunk(tiny_model):
    class Failing(SpyDenoiser):
        def __call__(self, *arguments):
            return super().__call__(*arguments) * (np.nan if self.calls == 3 else 1)

    model = replace_denoisers(tiny_model, Failing(tiny_model.choose(0)))
    with pytest.raises(NonFiniteSamples, match="chunk 2, call 0, sigma 10"):
        collect(start(model, music(4 * 22050)))


class Device(SpyDenoiser):
    """Its first call waits for the first calls of all; that of a slow one, for the others' end."""

    def __init__(self, denoiser, meeting, awaited=()):
        super().__init__(denoiser, self.wait)
        self.first_ended = threading.Event()
        self.meeting = meeting
        self.awaited = awaited

    def wait(self, number):
        if number == 1:
            self.meeting.wait()
            for other in self.awaited:
                assert other.first_ended.wait(WAIT_SECONDS)

    def __call__(self, *arguments):
        denoised = super().__call__(*arguments)
        self.first_ended.set()
        return denoised


def test_several_devices_share_the_chunks_and_give_the_same_stems(tiny_model):
    song = music(5 * 22050)
    meeting = threading.Barrier(3, timeout=WAIT_SECONDS)
    fast = [Device(tiny_model.choose(0), meeting) for _ in range(2)]
    team = [Device(tiny_model.choose(0), meeting, awaited=fast), *fast]
    alone, _ = collect(start(tiny_model, song))
    shared, _ = collect(start(replace_denoisers(tiny_model, *team), song))
    for name in STEMS:
        np.testing.assert_array_equal(shared[name], alone[name])
    chunks = list(plan(tiny_model, {SONG: ArraySource(song, 22050)}, choose(tiny_model)).chunks)
    assert len(chunks) > 6
    for turn, device in enumerate(team):
        firsts = [mixture[0, 0] for _, _, mixture in device.asked]
        assert firsts == [song[0, chunk.start] for chunk in chunks[turn::3]]


def test_a_device_that_fails_stops_the_others(tiny_model, monkeypatch):
    began = threading.Event()
    stopped = threading.Event()
    stop = Calls.stop

    def stop_and_say_so(calls):
        stop(calls)
        stopped.set()

    def fail(number):
        assert began.wait(WAIT_SECONDS)
        raise BackendUnavailable("gone", "find it")

    def run_on(number):
        began.set()
        assert stopped.wait(WAIT_SECONDS)

    monkeypatch.setattr(Calls, "stop", stop_and_say_so)
    network = tiny_model.choose(0)
    other = SpyDenoiser(network, run_on)
    team = replace_denoisers(tiny_model, SpyDenoiser(network, fail), other)
    with pytest.raises(BackendUnavailable, match="gone"):
        collect(start(team, music(5 * 22050), quality="default"))
    assert tiny_model.spec.preset("separate", "default").calls == 5
    assert other.calls == 1


def test_what_a_store_has_is_not_drawn_again(tiny_model):
    song = music(3 * 44100, 2, 44100)
    store = MemoryStore()
    first = start(tiny_model, song, 44100, store)
    drawn, _ = collect(first)
    assert first.calls.count == len(store.chunks) > 1
    del store.chunks[1]
    again = start(tiny_model, song, 44100, store)
    recalled, _ = collect(again)
    assert again.calls.count == 1
    for name in STEMS:
        np.testing.assert_array_equal(drawn[name], recalled[name])


@pytest.mark.parametrize("shape", [(2, 4, 1), (2, 4, 20_000), (4, 2, 16384), (16384,), ()])
def test_what_a_store_has_in_another_shape_is_drawn_again(tiny_model, shape):
    song = music(3 * 22050, 2)
    store = MemoryStore()
    drawn, _ = collect(start(tiny_model, song, store=store))
    store.chunks[1] = np.zeros(shape, np.float32)
    again = start(tiny_model, song, store=store)
    recalled, _ = collect(again)
    assert again.calls.count == 1
    np.testing.assert_array_equal(drawn["bass"], recalled["bass"])


def test_a_stream_that_is_closed_ends_its_threads(tiny_model):
    before = threading.active_count()
    stream = start(tiny_model, music(5 * 22050))
    next(iter(stream))
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("seconds", "rate", "expected"),
    [
        (10, 22050, ChunkPlan(220_500, 16384, 1024, int(0.25 * (16384 - 2048)))),
        (10, 44100, ChunkPlan(220_500, 16384, 1024, int(0.25 * (16384 - 2048)))),
        (0.5, 22050, ChunkPlan(11_025, 11 * 1024, 0, 0)),
    ],
)
def test_the_chunks_are_those_of_the_spec(tiny_model, seconds, rate, expected):
    song = {SONG: ArraySource(np.zeros(int(seconds * rate)), rate)}
    planned = plan(tiny_model, song, choose(tiny_model))
    assert list(planned.chunks) == list(expected.chunks())
    assert planned.independent


@pytest.mark.parametrize(("channels", "batches", "batch"), [(1, 1, 1), (2, 1, 2), (5, 3, 2)])
def test_the_plan_counts_the_calls(tiny_model, channels, batches, batch):
    song = {SONG: ArraySource(np.zeros((channels, 50_000)), 22050)}
    planned = plan(tiny_model, song, choose(tiny_model, "default"))
    assert (planned.calls_per_chunk, planned.batch) == (5 * batches, batch)
    assert planned.signals == 4 * channels


def test_outputs_have_the_names_and_the_shape_of_the_song(tiny_model):
    song = {SONG: ArraySource(np.zeros((2, 100)), 8000)}
    spec = tiny_model.spec
    assert name_outputs(spec, choose(tiny_model)) == STEMS
    some = choose(tiny_model, stems=("drums",), residual=True)
    assert name_outputs(spec, some) == ("drums", RESIDUAL)
    assert describe_output(tiny_model, song, some) == song[SONG].properties


def test_no_join_of_a_song_stands_out():
    model = load("embedded", Runtime(device="cpu"))
    model = dataclasses.replace(model, spec=dataclasses.replace(model.spec, chunk_length=65_536))
    sources = {SONG: FileSource(Path(__file__).parents[1] / "data" / "song.flac")}
    stream = run(model, sources, choose(model), NoStore(), SilentProgress())
    for _ in stream:
        pass
    seams = stream.facts["seams"]
    assert seams["joins"] >= 12
    # Without context and overlap, the worst of them are 16 and 35.
    assert seams["worst"]["value"] < 6
    assert seams["worst"]["slope"] < 6


@pytest.mark.parametrize("power", [3, -2])
def test_a_quieter_or_louder_song_has_the_same_stems(tiny_model, power):
    spec = dataclasses.replace(tiny_model.spec, level_db=-22.0)
    model = dataclasses.replace(tiny_model, spec=spec)
    song = music(40_000, 2)
    stems, _ = collect(start(model, song))
    scaled, _ = collect(start(model, song * np.float32(2.0**-power)))
    for name in STEMS:
        np.testing.assert_array_equal(scaled[name] * 2.0**power, stems[name])


def test_without_a_level_a_song_stays_as_it_is(tiny_model):
    song = music(10_000) * np.float32(0.01)
    model = replace_denoisers(tiny_model, Listening(tiny_model.denoisers[0]))
    collect(start(model, song))
    np.testing.assert_array_equal(model.denoisers[0].mixtures[0][0, :10_000], song[0])


class Listening:
    """Keeps the mixtures that a network is given."""

    def __init__(self, denoiser):
        self.takes_mixture = denoiser.takes_mixture
        self.shares_sigma = denoiser.shares_sigma
        self.mixtures = []
        self._denoiser = denoiser

    def __call__(self, x, sigma, mixture=None):
        self.mixtures.append(mixture.copy())
        return self._denoiser(x, sigma, mixture)


@pytest.mark.parametrize(
    ("rate", "channels", "quality", "absent"),
    [
        (44100, 2, "fast", ("piano",)),
        (22050, 3, "default", ("guitar", "bass")),
        (8000, 1, "fast", ("bass", "guitar", "piano")),
    ],
)
def test_stems_but_absent_ones_sum_to_the_song(tiny_model, rate, channels, quality, absent):
    model, spy = spy_on(tiny_model)
    song = music(int(2.1 * rate), channels, rate)
    stems, mixture = collect(start(model, song, rate, quality=quality, absent=absent))
    assert tuple(stems) == tuple(stem for stem in STEMS if stem not in absent)
    np.testing.assert_array_equal(mixture, song)
    np.testing.assert_allclose(sum(stems.values()), song, atol=SUM_TOLERANCE)
    silent = [STEMS.index(stem) for stem in absent]
    for x, sigma, _ in spy.asked:
        assert not x[:, silent].any()
        assert not sigma[:, silent].any()
        assert (np.delete(sigma, silent, 1) > 0).all()


def test_stems_differ_from_those_of_a_song_of_which_nothing_is_known(tiny_model):
    song = music(22050)
    usual, told = (
        collect(start(tiny_model, song, absent=absent))[0] for absent in ((), ("piano",))
    )
    for name in told:
        assert np.abs(told[name] - usual[name]).max() > 1e-3


def test_what_an_absent_stem_had_is_in_the_others_and_not_in_the_residual(tiny_model):
    rate = 44100
    song = music(rate, 2, rate)
    stems, _ = collect(start(tiny_model, song, rate, residual=True, absent=("piano",)))
    assert tuple(stems) == (*STEMS[:3], RESIDUAL)
    np.testing.assert_allclose(sum(stems.values()), song, atol=SUM_TOLERANCE)
    power = np.abs(np.fft.rfft(stems[RESIDUAL][0])) ** 2  # a bin is 1 Hz
    assert power[9000:].sum() > 100 * power[:4500].sum()


def test_absent_stems_take_no_room_in_a_store(tiny_model):
    song = music(3 * 22050, 2)
    store = MemoryStore()
    options = choose(tiny_model, absent=("piano",))
    drawn, _ = collect(start(tiny_model, song, store=store, absent=("piano",)))
    assert {chunk.shape[:2] for chunk in store.chunks.values()} == {(2, 3)}
    assert plan(tiny_model, {SONG: ArraySource(song, 22050)}, options).signals == 2 * 3
    again = start(tiny_model, song, store=store, absent=("piano",))
    recalled, _ = collect(again)
    assert again.calls.count == 0
    np.testing.assert_array_equal(drawn["bass"], recalled["bass"])


def test_absent_stems_are_not_written(tiny_model):
    options = choose(tiny_model, absent=("piano",))
    assert name_outputs(tiny_model.spec, options) == STEMS[:3]
    mixed = choose(tiny_model, absent=("piano",), mixes={"without-bass": {"bass": 0.0}})
    assert name_outputs(tiny_model.spec, mixed) == ("without-bass",)


@pytest.mark.parametrize(
    "wanted", [{"stems": ("drums", "piano")}, {"mixes": {"mix": {"bass": 1.0, "piano": 0.5}}}]
)
def test_a_stem_is_wanted_or_absent(tiny_model, wanted):
    with pytest.raises(ValueError, match="wanted or absent, got piano as both"):
        choose(tiny_model, absent=("piano",), **wanted)


@pytest.mark.parametrize("absent", [("kazoo",), STEMS])
def test_nothing_is_drawn_where_what_is_absent_makes_no_sense(tiny_model, absent):
    model, spy = spy_on(tiny_model)
    with pytest.raises(ValueError, match="absent"):
        start(model, music(22050), absent=absent)
    assert not spy.asked
