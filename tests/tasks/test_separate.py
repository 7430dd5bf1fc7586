import dataclasses
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import STEMS, music

from msdm_cli.audio import windows
from msdm_cli.audio.chunks import ChunkPlan
from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import BackendUnavailable, NonFiniteSamples, UnreadableAudio, UnwritableAudio
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.models.load import Model, load_model
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.sampling import calls_per_chunk
from msdm_cli.tasks.separate import SeparateOptions, plan_chunks, separate_song


def options(model, quality="fast", **fields):
    return SeparateOptions(preset=model.spec.preset("separate", quality), seed=5, **fields)


def separate(model, song, folder, **fields):
    return separate_song(model, song, folder, options(model, **fields), SilentProgress())


def read(path):
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def summed(done):
    return sum(read(path) for path in done.files.values())


@pytest.mark.parametrize("quality", ["fast", "default"])
@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [(44100, 2, "PCM_16"), (48000, 1, "PCM_24"), (22050, 3, "PCM_16")],
)
def test_integer_stems_sum_to_the_song_exactly(
    tiny_model, write_song, tmp_path, rate, channels, subtype, quality
):
    song = write_song(seconds=2.1, rate=rate, channels=channels, subtype=subtype)
    done = separate(tiny_model, song, tmp_path / "out", quality=quality)
    assert set(done.files) == set(STEMS)
    for path in done.files.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (rate, channels, subtype)
        assert info.frames == int(2.1 * rate)
    np.testing.assert_array_equal(summed(done), read(song))


@pytest.mark.parametrize("rate", [8000, 44100])
def test_float_stems_sum_to_the_song(tiny_model, write_song, tmp_path, rate):
    song = write_song(seconds=2, rate=rate, subtype="FLOAT")
    done = separate(tiny_model, song, tmp_path / "out")
    # Four float32 roundings of values below 1: -140 dB.
    np.testing.assert_allclose(summed(done), read(song), atol=3e-7)


@pytest.mark.parametrize("frames", [1, 2, 100, 8191])
def test_the_shortest_songs_have_stems(tiny_model, tmp_path, frames):
    song = tmp_path / "short.wav"
    soundfile.write(song, music(frames).T, 44100, "PCM_16")
    done = separate(tiny_model, song, tmp_path / "out")
    np.testing.assert_array_equal(summed(done), read(song))


def test_streaming_is_the_whole_at_once(tiny_model, write_song, tmp_path, monkeypatch):
    song = write_song(seconds=4, subtype="FLOAT")
    whole = separate(tiny_model, song, tmp_path / "whole", quality="default")
    monkeypatch.setattr(windows, "READ_FRAMES", 777)
    blocks = separate(tiny_model, song, tmp_path / "blocks", quality="default")
    for name in STEMS:
        np.testing.assert_array_equal(read(whole.files[name]), read(blocks.files[name]))


def test_same_seed_same_samples_other_seed_other_samples(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1)
    one, two = (separate(tiny_model, song, tmp_path / name, quality="default") for name in "ab")
    other = options(tiny_model, "default")
    third = separate_song(
        tiny_model, song, tmp_path / "c", dataclasses.replace(other, seed=6), SilentProgress()
    )
    assert one.files["bass"].read_bytes() == two.files["bass"].read_bytes()
    assert one.files["bass"].read_bytes() != third.files["bass"].read_bytes()


def test_chunking_is_inaudible_far_from_the_edges_of_chunks(tiny_model, write_song, tmp_path):
    """One long chunk against many short ones: the difference is the network's edge error, which the context hides."""
    song = write_song(seconds=3, rate=22050, channels=1, subtype="FLOAT")
    # A network without attention and group statistics would differ by nothing; that of one call differs by little.
    whole = dataclasses.replace(tiny_model.spec, chunk_length=81920)
    single = separate(dataclasses.replace(tiny_model, spec=whole), song, tmp_path / "single")
    many = separate(tiny_model, song, tmp_path / "many")
    error = np.concatenate([read(single.files[name]) - read(many.files[name]) for name in STEMS])
    level = np.concatenate([read(single.files[name]) for name in STEMS])
    assert np.sqrt(np.square(error).mean()) < 0.1 * np.sqrt(np.square(level).mean())


def test_some_stems_and_a_part(tiny_model, write_song, tmp_path):
    song = write_song(seconds=3, rate=44100)
    done = separate(
        tiny_model, song, tmp_path, stems=("drums",), start_seconds=1.0, duration_seconds=0.5
    )
    assert list(done.files) == ["drums"]
    assert soundfile.info(done.files["drums"]).frames == 22_050
    assert not (tmp_path / "song" / "bass.wav").exists()


def test_a_residual_of_its_own(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1, rate=44100)
    done = separate(tiny_model, song, tmp_path / "out", residual=True)
    np.testing.assert_array_equal(summed(done), read(song))
    spectrum = np.abs(np.fft.rfft(read(done.files["residual"])[:, 0])) ** 2
    band = int(9000 / 44100 * 44100)
    assert spectrum[band:].sum() > 100 * spectrum[: band // 2].sum()


def test_stems_of_a_mono_half_are_those_of_the_stereo_whole(tiny_model, tmp_path):
    """Channels share their noise: a song that is the same left and right stays so."""
    song = tmp_path / "wide.wav"
    soundfile.write(song, np.repeat(music(22_050).T, 2, 1), 22050, "FLOAT")
    done = separate(tiny_model, song, tmp_path / "out", quality="default")
    for path in done.files.values():
        stem = read(path)
        np.testing.assert_allclose(stem[:, 0], stem[:, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("ogg", "VORBIS"), ("mp3", None), ("wav", "PCM_U8"), ("wav", "FLOAT")]
)
def test_16_bit_stems_of_any_file_sum_to_its_samples_rounded(tiny_model, tmp_path, suffix, subtype):
    song = tmp_path / f"song.{suffix}"
    soundfile.write(song, music(44_100, 2, 44100).T, 44100, subtype)
    done = separate(tiny_model, song, tmp_path / "out", output=OutputOptions(subtype="PCM_16"))
    np.testing.assert_array_equal(summed(done) * 32768, np.rint(read(song) * 32768))


@pytest.mark.parametrize("file_format", ["flac", "ogg"])
def test_every_format_can_be_written(tiny_model, write_song, tmp_path, file_format):
    done = separate(
        tiny_model, write_song(seconds=1), tmp_path / "out", output=OutputOptions(file_format)
    )
    assert all(soundfile.info(path).format == file_format.upper() for path in done.files.values())


def test_a_song_at_full_scale_is_summed_exactly(tiny_model, tmp_path):
    song = tmp_path / "loud.wav"
    soundfile.write(song, np.sign(music(22_050, 1)).T * 0.999, 22050, "PCM_16")
    done = separate(tiny_model, song, tmp_path / "out")
    np.testing.assert_array_equal(summed(done), read(song))


def test_many_channels_are_drawn_two_at_a_time(tiny_model, write_song, tmp_path):
    sizes = []

    class Spy:
        takes_mixture, shares_sigma = True, False

        def __call__(self, x, sigma, mixture=None):
            sizes.append(len(x))
            return tiny_model.denoiser(x, sigma, mixture)

    song = write_song(seconds=0.5, channels=5)
    done = separate(Model(tiny_model.spec, Spy(), tiny_model.runtime), song, tmp_path / "out")
    assert sizes == [2, 2, 1]
    np.testing.assert_array_equal(summed(done), read(song))


def test_the_song_itself_is_never_replaced(tiny_model, write_song, tmp_path):
    song = write_song("bass/bass.wav", 0.5)
    with pytest.raises(UnwritableAudio, match="is an input"):
        separate(tiny_model, song, tmp_path, output=OutputOptions(overwrite=True))


def test_nothing_is_replaced_unless_asked(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    separate(tiny_model, song, tmp_path)
    before = (tmp_path / "song" / "bass.wav").stat().st_mtime_ns
    (tmp_path / "song" / "msdm.json").unlink()
    with pytest.raises(UnwritableAudio, match="is there already"):
        separate(tiny_model, song, tmp_path)
    assert (tmp_path / "song" / "bass.wav").stat().st_mtime_ns == before
    separate(tiny_model, song, tmp_path, output=OutputOptions(overwrite=True))
    assert (tmp_path / "song" / "bass.wav").stat().st_mtime_ns > before


def test_a_song_that_breaks_off_leaves_nothing(tiny_model, tmp_path):
    whole, song = tmp_path / "whole.flac", tmp_path / "song.flac"
    soundfile.write(whole, music(400_000).T, 22050)
    song.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(UnreadableAudio):
        separate(tiny_model, song, tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_network_that_fails_is_an_error_that_names_the_chunk(tiny_model, write_song, tmp_path):
    class Failing:
        takes_mixture, shares_sigma, calls = True, False, 0

        def __call__(self, x, sigma, mixture=None):
            self.calls += 1
            return tiny_model.denoiser(x, sigma, mixture) * (np.nan if self.calls == 3 else 1)

    model = Model(tiny_model.spec, Failing(), tiny_model.runtime)
    with pytest.raises(NonFiniteSamples, match="chunk 2, call 0, sigma 10"):
        separate(model, write_song(seconds=4), tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


class Spy:
    """Counts calls, and is slower than it needs to be."""

    def __init__(self, denoiser, seconds):
        self.denoiser, self.seconds, self.calls = denoiser, seconds, 0
        self.takes_mixture, self.shares_sigma = denoiser.takes_mixture, denoiser.shares_sigma

    def __call__(self, *arguments):
        self.calls += 1
        time.sleep(self.seconds)
        return self.denoiser(*arguments)


def test_several_devices_share_chunks_and_give_the_same_bytes(tiny_model, write_song, tmp_path):
    song = write_song(seconds=5)
    alone = separate(tiny_model, song, tmp_path / "alone")
    members = [Spy(tiny_model.denoiser, seconds) for seconds in (0.05, 0.0, 0.01)]
    team = dataclasses.replace(tiny_model, denoiser=members[0], others=tuple(members[1:]))
    shared = separate(team, song, tmp_path / "shared")
    for name, path in alone.files.items():
        assert shared.files[name].read_bytes() == path.read_bytes()
    counts = [member.calls for member in members]
    assert sum(counts) == alone.calls == shared.calls
    assert max(counts) - min(counts) <= 1, "turns do not depend on which is faster"


def test_a_device_that_fails_stops_the_others(tiny_model, write_song, tmp_path):
    begun = threading.Event()

    class Other(Spy):
        def __call__(self, *arguments):
            begun.set()
            return super().__call__(*arguments)

    class Failing(Spy):
        def __call__(self, *arguments):
            assert begun.wait(10)
            raise BackendUnavailable("gone", "find it")

    other = Other(tiny_model.denoiser, 0.2)
    team = dataclasses.replace(tiny_model, denoiser=Failing(other, 0), others=(other,))
    with pytest.raises(BackendUnavailable, match="gone"):
        separate(team, write_song(seconds=5, channels=1), tmp_path / "out", quality="default")
    assert 1 <= other.calls < calls_per_chunk(tiny_model.spec.preset("separate", "default"))
    assert not list((tmp_path / "out").rglob("*.wav"))


def test_long_songs_have_the_chunks_of_the_spec(tiny_model):
    plan = plan_chunks(tiny_model, 1_000_000, 0.25)
    assert plan == ChunkPlan(1_000_000, 16384, 1024, int(0.25 * (16384 - 2048)))


def test_no_join_of_a_song_stands_out(tmp_path):
    model = load_model("embedded", Runtime(device="cpu"))
    model = dataclasses.replace(model, spec=dataclasses.replace(model.spec, chunk_length=65_536))
    song = Path(__file__).parents[1] / "data" / "song.flac"
    done = separate(model, song, tmp_path / "out")
    seams = load_manifest(done.manifest).facts["seams"]
    assert seams["joins"] >= 12
    # Without context and overlap, the worst of them are 16 and 35.
    assert seams["worst"]["value"] < 6
    assert seams["worst"]["slope"] < 6
