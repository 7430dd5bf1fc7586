"""What is estimated is what happens."""

import dataclasses
import sys

import numpy as np
import pytest
import soundfile
import torch
from conftest import (
    SpyDenoiser,
    music,
    read_sound,
    replace_denoisers,
    request_generation,
    request_imputation,
    request_separation,
)

from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.ogg_decoder import OggDecoder
from msdm_cli.errors import UnreadableAudio
from msdm_cli.jobs import estimate as module
from msdm_cli.jobs.estimate import estimate_job, measure_call
from msdm_cli.jobs.journal import Journal
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.run import run_job

HEADER_BYTES = 100
"""What a WAV file has before its samples, at most."""


@pytest.fixture
def journal_bytes(monkeypatch):
    """Sizes of the chunks that jobs have kept."""
    sizes = []
    save = Journal.save

    def keep(journal, index, chunk):
        if journal.on_disk:
            sizes.append(chunk.nbytes)
        save(journal, index, chunk)

    monkeypatch.setattr(Journal, "save", keep)
    return sizes


def check_estimate(request, model, journal_bytes):
    estimate = estimate_job(request, model)
    result = run_job(request, model)
    written = sum(path.stat().st_size for path in result.files.values())
    assert estimate.calls == result.calls > 0
    assert 0 <= written - estimate.output_bytes <= HEADER_BYTES * len(result.files)
    assert estimate.journal_bytes == sum(journal_bytes)
    assert estimate.audio_seconds == result.properties.seconds
    assert estimate.seconds > 0
    assert estimate.memory_bytes > 1e7  # PyTorch alone takes more


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_of_a_separation(tiny_model, write_song, tmp_path, channels, journal_bytes):
    song = write_song(seconds=2, channels=channels)
    request = request_separation(tiny_model, song, tmp_path / "out", residual=True)
    check_estimate(request, tiny_model, journal_bytes)


def test_of_a_part_of_a_song_that_fits_into_a_chunk(
    tiny_model, write_song, tmp_path, journal_bytes
):
    fields = {"start_seconds": 0.5, "duration_seconds": 0.25, "stems": ("bass",)}
    song = write_song(seconds=3)
    request = request_separation(tiny_model, song, tmp_path / "out", **fields)
    check_estimate(request, tiny_model, journal_bytes)
    assert not journal_bytes


def test_of_an_imputation(tiny_model, write_song, tmp_path, journal_bytes):
    drums = write_song("drums.wav", seconds=2)
    request = request_imputation(
        tiny_model, {"drums": drums}, tmp_path / "out", targets=("piano", "bass")
    )
    check_estimate(request, tiny_model, journal_bytes)


@pytest.mark.parametrize("seconds", [0.1, 2.0])
def test_of_a_generation(tiny_model, tmp_path, seconds, journal_bytes):
    check_estimate(request_generation(tiny_model, tmp_path, seconds), tiny_model, journal_bytes)


def test_of_music_of_one_token(tiny_cascade, tmp_path):
    assert estimate_job(request_generation(tiny_cascade, tmp_path, 0.1), tiny_cascade).calls > 0


@pytest.mark.parametrize(
    ("output", "bytes_per_sample"),
    [
        (OutputOptions(), 2),
        (OutputOptions(subtype="PCM_24"), 3),
        (OutputOptions(subtype="DOUBLE"), 8),
        (OutputOptions("flac"), 2 * 0.6),
        (OutputOptions("ogg"), 2 * 0.1),
    ],
)
def test_the_format_decides_the_size(tiny_model, write_song, tmp_path, output, bytes_per_sample):
    song = write_song(seconds=0.5)
    request = request_separation(tiny_model, song, tmp_path, output=output)
    samples = 4 * 2 * 22050
    assert estimate_job(request, tiny_model).output_bytes == round(samples * bytes_per_sample)


def test_devices_share_the_chunks_of_a_song_but_not_of_a_generation(
    tiny_model, write_song, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "measure_call", lambda *arguments: 1.0)
    team = replace_denoisers(tiny_model, *tiny_model.denoisers * 2)
    separation = request_separation(tiny_model, write_song(seconds=4), tmp_path)
    generation = request_generation(tiny_model, tmp_path, 4.0)
    alone, shared = (estimate_job(separation, model) for model in (tiny_model, team))
    assert (alone.calls, alone.seconds, shared.seconds) == (8, 8, 4)
    alone, shared = (estimate_job(generation, model) for model in (tiny_model, team))
    assert alone.seconds == shared.seconds == alone.calls


@pytest.mark.parametrize(
    ("device", "taken", "counts"),
    [("cpu", (2.5,), 2.5), ("cpu", (0.5, 0.2, 0.3), 0.2), ("cuda", (2.5, 1.5, 2.0), 1.5)],
)
def test_calls_of_the_size_of_a_chunk_are_measured(tiny_model, monkeypatch, device, taken, counts):
    now = iter([moment for seconds in taken for moment in (10.0, 10.0 + seconds)])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(now))
    spy = SpyDenoiser(tiny_model.choose(0))
    model = replace_denoisers(tiny_model, spy)
    runtime = dataclasses.replace(model.runtime, device=device)
    model = dataclasses.replace(model, runtime=runtime)
    # The first call of each shape is slower: the fastest counts.
    assert measure_call(model, 2, 8192, 1024) == pytest.approx(counts)
    warming, *measured = [(x.shape, mixture is None) for x, _, mixture in spy.asked]
    assert warming == ((2, 4, 4096), True)
    assert measured == [((2, 4, 8192), False)] * len(taken)


def test_the_memory_of_a_gpu_is_its_own(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "measure_call", lambda *arguments: 1.0)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", {"cuda:1": 12345}.get)
    runtime = dataclasses.replace(tiny_model.runtime, device="cuda:1,cuda:0")
    model = dataclasses.replace(tiny_model, runtime=runtime)
    assert estimate_job(request_generation(model, tmp_path, 0.1), model).memory_bytes == 12345


def test_memory_is_unknown_where_the_system_does_not_tell(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    request = request_generation(tiny_model, tmp_path, 0.1)
    assert estimate_job(request, tiny_model).memory_bytes is None


def test_an_input_that_cannot_be_read_is_an_error(tiny_model, tmp_path):
    request = request_separation(tiny_model, tmp_path / "none.wav", tmp_path)
    with pytest.raises(UnreadableAudio, match="no such file"):
        estimate_job(request, tiny_model)


@pytest.mark.parametrize("task", ["separate", "impute", "generate"])
@pytest.mark.parametrize("seconds", [0.5, 30])
def test_a_dry_run_rehearses_with_one_network_call(tiny_model, write_song, tmp_path, seconds, task):
    spy = SpyDenoiser(tiny_model.choose(0))
    model = replace_denoisers(tiny_model, spy)
    song = write_song(seconds=seconds)
    request = {
        "separate": lambda: request_separation(model, song, tmp_path / "out"),
        "impute": lambda: request_imputation(model, {"drums": song}, tmp_path / "out"),
        "generate": lambda: request_generation(model, tmp_path / "out", seconds),
    }[task]()
    estimate = estimate_job(request, model)
    # One call warms up, some are measured, and one takes the memory of a run.
    warm, *measured, rehearsed = (x.shape for x, _, _ in spy.asked)
    assert 1 <= len(measured) <= 3
    assert warm[-1] < rehearsed[-1]
    assert set(measured) == {rehearsed}
    assert estimate.audio_seconds == seconds
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stages", [1, 2])
def test_every_stage_of_a_model_is_rehearsed_with_one_call(tiny_model, stages):
    spies = {stage: SpyDenoiser(tiny_model.choose(0)) for stage in range(stages)}
    x = np.ones((1, 4, 4096), np.float32)
    sigma = np.ones((1, 4), np.float32)
    for stage in spies:
        one_call = module._open_for_one_call(spies.get, stage)
        assert one_call(x, sigma).any()
        assert not one_call(x, sigma).any()
    assert [spy.calls for spy in spies.values()] == [1] * stages


def forbid(*_):
    raise AssertionError("the whole file is decoded")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_a_song_of_any_length_is_not_decoded_to_its_end(tiny_model, tmp_path, monkeypatch, suffix):
    song = tmp_path / f"song.{suffix}"
    soundfile.write(song, music(300_000, 2).T, 22050)
    for decoder in (FfmpegDecoder, OggDecoder):
        monkeypatch.setattr(decoder, "count_frames", forbid)
    decoded = []
    read = FileSource.read_beginning
    monkeypatch.setattr(
        FileSource, "read_beginning", lambda file, n: decoded.append(n) or read(file, n)
    )
    request = request_separation(tiny_model, song, tmp_path, start_seconds=5.0)
    assert estimate_job(request, tiny_model).audio_seconds == pytest.approx(300_000 / 22050 - 5)
    assert decoded == [2 * tiny_model.spec.chunk_length]


@pytest.mark.parametrize("parts", [2, 20])
def test_a_song_that_is_cut_off_is_estimated(tiny_model, tmp_path, parts):
    song = tmp_path / "song.flac"
    soundfile.write(song, music(300_000, 2).T, 22050)
    song.write_bytes(song.read_bytes()[: song.stat().st_size // parts])
    estimate = estimate_job(request_separation(tiny_model, song, tmp_path), tiny_model)
    if parts == 2:
        assert estimate.audio_seconds == 300_000 / 22050
    else:  # the header states far more than the file is large enough for
        assert estimate.audio_seconds < 2


def test_given_stems_whose_headers_differ_are_decoded(tiny_model, write_song, tmp_path):
    given = {"drums": write_song("drums.wav", seconds=1), "bass": tmp_path / "bass.flac"}
    samples = read_sound(given["drums"])
    soundfile.write(given["bass"], np.pad(samples, ((0, 0), (0, 44_100))).T, 44100)
    content = given["bass"].read_bytes()
    found = {}
    for size in range(len(content), 0, -50):  # cut off where the other ends
        given["bass"].write_bytes(content[:size])
        found[FileSource(given["bass"]).properties.frames] = size
        if min(found) < 44_100:
            break
    soundfile.write(given["drums"], samples[:, : min(found)].T, 44100)
    request = request_imputation(tiny_model, given, tmp_path)
    assert estimate_job(request, tiny_model).audio_seconds == min(found) / 44100
