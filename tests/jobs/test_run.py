import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import (
    FIVE_STEMS,
    STEMS,
    SpyDenoiser,
    generate,
    impute,
    list_files,
    make_tiny_model,
    music,
    read_sound,
    replace_denoisers,
    request_separation,
    separate,
    spy_on,
    sum_sounds,
)

from msdm_cli.audio import kept_source
from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
from msdm_cli.audio.file_source import FileReader, FileSource
from msdm_cli.audio.file_writer import SoundFileWriter
from msdm_cli.audio.formats import FORMATS, SoundFormat
from msdm_cli.audio.source import ArraySource
from msdm_cli.errors import (
    NonFiniteSamples,
    ReplacesInput,
    ResultsExist,
    UnreadableAudio,
    UnsuitableAudio,
    UnwritableAudio,
    UnwritableResults,
)
from msdm_cli.jobs import run as module
from msdm_cli.jobs.check import check_results
from msdm_cli.jobs.estimate import estimate_job
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.run import run_job
from msdm_cli.jobs.stem_folder import open_stem_folder

FLOAT_SUM_TOLERANCE = 4 * 2.0**-25
"""Four stems below 1 are rounded to single precision, by half a unit of the last place at most."""

FULL_SCALE_16 = 1 << 15
WRITTEN_TOLERANCE = 1.5 / FULL_SCALE_16
"""A float that is written in 16 bits: half a unit of rounding, and libsndfile multiplies by 32 767
what it divides by 32 768 when it is read, which takes up to a unit off."""


# Separation


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "quality"),
    [
        (44100, 2, "PCM_16", "fast"),
        (48000, 1, "PCM_24", "fast"),
        (48000, 1, "PCM_24", "default"),
        (22050, 3, "PCM_16", "fast"),
    ],
)
def test_integer_stems_sum_to_the_song_to_the_last_bit(
    tiny_model, write_song, tmp_path, rate, channels, subtype, quality
):
    song = write_song(seconds=2.1, rate=rate, channels=channels, subtype=subtype)
    result = separate(tiny_model, song, tmp_path / "out", quality=quality)
    assert tuple(result.files) == STEMS
    for path in result.files.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (rate, channels, subtype)
        assert info.frames == int(2.1 * rate)
    np.testing.assert_array_equal(sum_sounds(result), read_sound(song))
    assert result.exact
    assert result.null_db is None


@pytest.mark.parametrize("rate", [8000, 44100])
def test_float_stems_sum_to_the_song(tiny_model, write_song, tmp_path, rate):
    song = write_song(seconds=2, rate=rate, subtype="FLOAT")
    result = separate(tiny_model, song, tmp_path / "out")
    assert max(np.abs(read_sound(path)).max() for path in result.files.values()) < 1
    np.testing.assert_allclose(sum_sounds(result), read_sound(song), atol=FLOAT_SUM_TOLERANCE)
    assert result.null_db < -130


@pytest.mark.parametrize("frames", [1, 2, 100, 8191])
def test_the_shortest_songs_have_stems(tiny_model, tmp_path, frames):
    song = tmp_path / "short.wav"
    soundfile.write(song, music(frames).T, 44100, "PCM_16")
    result = separate(tiny_model, song, tmp_path / "out")
    np.testing.assert_array_equal(sum_sounds(result), read_sound(song))


def test_the_seed_decides_every_byte(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5, channels=1)
    one, two, other = (
        separate(tiny_model, song, tmp_path / name, quality="default", seed=seed)
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert (one.seed, other.seed) == (5, 6)
    assert one.files["bass"].read_bytes() == two.files["bass"].read_bytes()
    assert one.files["bass"].read_bytes() != other.files["bass"].read_bytes()


def test_some_stems_and_a_part(tiny_model, write_song, tmp_path):
    song = write_song(seconds=3, rate=44100)
    whole = separate(tiny_model, song, tmp_path / "whole", start_seconds=1.0, duration_seconds=0.5)
    some = separate(
        tiny_model,
        song,
        tmp_path / "some",
        stems=("drums",),
        start_seconds=1.0,
        duration_seconds=0.5,
    )
    assert list(some.files) == ["drums"]
    assert some.properties.frames == soundfile.info(some.files["drums"]).frames == 22_050
    assert some.files["drums"].read_bytes() == whole.files["drums"].read_bytes()
    assert list_files(tmp_path / "some") == ["song/drums.wav", "song/msdm.json"]
    np.testing.assert_array_equal(sum_sounds(whole), read_sound(song)[:, 44_100:66_150])


def test_a_residual_of_its_own(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1, rate=44100)
    result = separate(tiny_model, song, tmp_path / "out", residual=True)
    assert tuple(result.files) == (*STEMS, "residual")
    np.testing.assert_array_equal(sum_sounds(result), read_sound(song))


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("ogg", "VORBIS"), ("mp3", None), ("wav", "PCM_U8"), ("wav", "FLOAT")]
)
def test_16_bit_stems_of_any_file_sum_to_its_samples_rounded(tiny_model, tmp_path, suffix, subtype):
    song = tmp_path / f"song.{suffix}"
    soundfile.write(song, music(44_100, 2, 44100).T, 44100, subtype)
    result = separate(tiny_model, song, tmp_path / "out", output=OutputOptions(subtype="PCM_16"))
    with FileSource(song).open() as reader:
        decoded = reader.read(1 << 20)
    np.testing.assert_array_equal(
        sum_sounds(result) * FULL_SCALE_16, np.rint(decoded.astype(np.float64) * FULL_SCALE_16)
    )


@pytest.mark.parametrize("file_format", ["flac", "ogg"])
def test_every_format_can_be_written(tiny_model, write_song, tmp_path, file_format):
    output = OutputOptions(file_format)
    result = separate(tiny_model, write_song(seconds=1), tmp_path / "out", output=output)
    assert {soundfile.info(path).format for path in result.files.values()} == {file_format.upper()}


def test_a_format_is_added_by_one_row(tiny_model, write_song, tmp_path, monkeypatch):
    assert "au" not in FORMATS
    monkeypatch.setitem(FORMATS, "au", SoundFormat("au", ".au", ("PCM_16", "PCM_24")))
    song = write_song(seconds=1, subtype="PCM_24")
    request = request_separation(tiny_model, song, tmp_path / "out", output=OutputOptions("au"))
    result = run_job(request, tiny_model)
    for stem, path in result.files.items():
        info = soundfile.info(path)
        assert (path.name, info.format, info.subtype) == (f"{stem}.au", "AU", "PCM_24")
    np.testing.assert_array_equal(sum_sounds(result), read_sound(song))
    assert check_results(result.manifest, song).exact
    samples = 4 * 2 * 44100 * 3
    assert estimate_job(request, tiny_model).output_bytes == samples


def test_a_song_at_full_scale_is_summed_exactly(tiny_model, tmp_path):
    song = tmp_path / "loud.wav"
    soundfile.write(song, np.sign(music(22_050, 1)).T * 0.999, 22050, "PCM_16")
    result = separate(tiny_model, song, tmp_path / "out")
    assert result.gain == 1
    np.testing.assert_array_equal(sum_sounds(result), read_sound(song))


def test_a_stem_that_would_clip_turns_all_down(tiny_model, tmp_path):
    song = tmp_path / "loud.wav"
    soundfile.write(song, np.sign(music(60_000, 1)).T * 3, 22050, "FLOAT")
    output = OutputOptions(subtype="PCM_16")
    result = separate(tiny_model, song, tmp_path / "out", output=output)
    stems = np.stack([read_sound(path) for path in result.files.values()])
    assert result.gain < 1
    assert result.gain_db == pytest.approx(20 * np.log10(result.gain))
    assert result.clipped == 0
    assert 0.99 < np.abs(stems).max() < 1
    whole = read_sound(song) * result.gain
    np.testing.assert_array_equal(stems.sum(0) * FULL_SCALE_16, np.rint(whole * FULL_SCALE_16))
    assert result.exact
    # The second pass takes its chunks from the journal.
    assert result.calls == separate(tiny_model, song, tmp_path / "float").calls
    report = check_results(result.manifest.parent, song)
    assert not report.problems
    assert report.exact


def test_five_stems_work_from_end_to_end(write_song, tmp_path):
    model = make_tiny_model(FIVE_STEMS)
    song = write_song(seconds=1.5, channels=1)
    result = separate(model, song, tmp_path / "separate", quality="default")
    assert tuple(result.files) == FIVE_STEMS
    np.testing.assert_array_equal(sum_sounds(result), read_sound(song))
    assert check_results(result.manifest, song).exact
    levels = [np.abs(read_sound(path)).max() for path in result.files.values()]
    assert min(levels) > 1e-3

    imputed = impute(model, {"drums": song}, tmp_path / "impute", targets=("vocals", "piano"))
    assert list(imputed.files) == ["drums", "vocals", "piano", "mixture"]
    generated = generate(model, tmp_path / "generate", 0.5)
    assert tuple(generated.files) == (*FIVE_STEMS, "mixture")
    some = separate(model, song, tmp_path / "some", stems=("vocals",))
    assert list(some.files) == ["vocals"]


# Sources


class CountedFile:
    """A file that counts what is read of it."""

    def __init__(self, file, counts):
        self._file = file
        self._counts = counts

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def read(self, *arguments):
        content = self._file.read(*arguments)
        self._counts.append(len(content))
        return content


@pytest.fixture
def reads(monkeypatch):
    """For each time that a file was opened for reading: its name, and counts of bytes read."""
    found = []
    open_path = Path.open

    def open_counted(path, mode="r", *arguments, **options):
        file = open_path(path, mode, *arguments, **options)
        if mode != "rb":
            return file
        found.append((path.name, []))
        return CountedFile(file, found[-1][1])

    monkeypatch.setattr(Path, "open", open_counted)

    def list_reads(name):
        taken = [sum(counts) for opened, counts in found if opened == name]
        found.clear()
        return taken

    return list_reads


def level_model(model):
    """A model that wants songs at a level."""
    return dataclasses.replace(model, spec=dataclasses.replace(model.spec, level_db=-22.0))


@pytest.mark.parametrize("level", [False, True])
@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_a_song_is_read_once_to_look_and_once_to_separate(
    tiny_model, tmp_path, reads, suffix, level
):
    model = level_model(tiny_model) if level else tiny_model
    song = tmp_path / f"song.{suffix}"
    soundfile.write(song, music(3 * 44100, 2, 44100).T, 44100)
    size = song.stat().st_size
    result = separate(model, song, tmp_path / "out")
    assert result.gain == 1
    taken = reads(song.name)
    assert len(taken) == 2
    # FFmpeg begins again once, after it has found out what the file is.
    assert all(size <= count < size + (1 << 17) for count in taken)
    # What is done is read for its digest, and not decoded.
    assert separate(model, song, tmp_path / "out").skipped
    assert reads(song.name) == [size]


@pytest.mark.parametrize("most_memory_bytes", [1 << 24, 1000])
def test_what_would_clip_is_written_again_without_reading_its_song_again(
    tiny_model, tmp_path, reads, monkeypatch, most_memory_bytes
):
    monkeypatch.setattr(kept_source, "MOST_MEMORY_BYTES", most_memory_bytes)
    song = tmp_path / "loud.wav"
    soundfile.write(song, np.sign(music(60_000, 2)).T * 3, 22050, "FLOAT")
    size = song.stat().st_size
    output = OutputOptions(subtype="PCM_16")
    result = separate(level_model(tiny_model), song, tmp_path / "out", output=output)
    assert result.gain < 1
    taken = reads(song.name)
    assert len(taken) == 2
    assert sum(taken) < 2 * size + (1 << 18)
    # The samples are those of a song that is read again.
    monkeypatch.setattr(module, "opens_again", lambda *_: False)
    other = separate(level_model(tiny_model), song, tmp_path / "other", output=output)
    assert len(reads(song.name)) == 3
    for name, path in result.files.items():
        assert path.read_bytes() == other.files[name].read_bytes()


def test_of_an_ogg_file_its_pages_are_listed_as_well(tiny_model, tmp_path, reads):
    song = tmp_path / "song.ogg"
    soundfile.write(song, music(9 * 44100, 2, 44100).T, 44100)
    size = song.stat().st_size
    separate(level_model(tiny_model), song, tmp_path / "out", duration_seconds=1.0)
    taken = sorted(reads(song.name))
    assert len(taken) == 4
    assert sum(taken[:2]) < size / 10
    # libsndfile looks for the last page in the last 64 kB, each time that it opens a stream.
    assert taken[3] < size + 4 * (1 << 16)


def test_a_wav_file_is_decoded_for_its_level_alone(tiny_model, write_song, tmp_path, monkeypatch):
    decoded = []
    frames = FfmpegDecoder._frames
    monkeypatch.setattr(FfmpegDecoder, "_frames", lambda self: decoded.append(1) or frames(self))
    song = write_song(seconds=1)
    separate(tiny_model, song, tmp_path / "one")
    assert len(decoded) == 1
    separate(level_model(tiny_model), song, tmp_path / "two")
    assert len(decoded) == 3


@pytest.mark.parametrize("rate", [None, 16000])
def test_given_stems_are_read_once(tiny_model, write_song, tmp_path, monkeypatch, rate):
    opened = []
    init = FileReader.__init__

    def count_opening(reader, path, *arguments):
        opened.append(path.name)
        init(reader, path, *arguments)

    monkeypatch.setattr(FileReader, "__init__", count_opening)
    given = {"drums": write_song("drums.wav", 2), "bass": write_song("bass.wav", 2)}
    output = OutputOptions(name="{stem}.{ext}", rate=rate)
    result = impute(tiny_model, given, tmp_path / "out", output=output)
    assert result.gain == 1
    assert sorted(opened) == ["bass.wav", "drums.wav"]


def test_an_array_gives_the_stems_of_its_file(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1, subtype="FLOAT")
    samples = read_sound(song).astype(np.float32)
    of_file = separate(tiny_model, song, tmp_path / "file")

    def separate_array(samples):
        request = request_separation(tiny_model, song, tmp_path / "array")
        request = dataclasses.replace(request, inputs={})
        return run_job(request, tiny_model, sources={"song": ArraySource(samples, 44100)})

    of_array = separate_array(samples)
    for name, path in of_file.files.items():
        assert of_array.files[name].read_bytes() == path.read_bytes()
    assert check_results(of_array.manifest, None).whole == list(STEMS)
    again = separate_array(samples)
    assert again == dataclasses.replace(of_array, calls=0, skipped=True)
    with pytest.raises(ResultsExist, match="is there already"):
        separate_array(samples[:, ::-1])


def test_a_song_that_changes_while_it_is_read_is_refused(tiny_model, write_song, tmp_path):
    song = write_song(seconds=1)
    model, _ = spy_on(tiny_model, lambda number: write_song(seconds=1, seed=9))
    with pytest.raises(UnsuitableAudio, match="has changed"):
        separate(model, song, tmp_path / "out")
    assert not (tmp_path / "out" / "song").exists()


def test_a_song_that_cannot_be_decoded_to_its_end_leaves_nothing(
    tiny_model, write_song, tmp_path, monkeypatch
):
    read = FileReader.read
    blocks = []

    def break_off(reader, frames):
        if len(blocks) == 2:
            raise UnreadableAudio(f"{reader.path}: breaks off", "Get it again.")
        blocks.append(read(reader, frames))
        return blocks[-1]

    monkeypatch.setattr(FileReader, "read", break_off)
    with pytest.raises(UnreadableAudio, match="breaks off"):
        separate(tiny_model, write_song(seconds=4), tmp_path / "out")
    assert len(blocks) == 2
    assert list_files(tmp_path / "out") == []


def test_a_network_that_fails_leaves_nothing(tiny_model, write_song, tmp_path):
    class Failing(SpyDenoiser):
        def __call__(self, *arguments):
            return super().__call__(*arguments) * (np.nan if self.calls == 3 else 1)

    model = replace_denoisers(tiny_model, Failing(tiny_model.choose(0)))
    with pytest.raises(NonFiniteSamples, match="chunk 2, call 0, sigma 10"):
        separate(model, write_song(seconds=4), tmp_path / "out")
    assert list_files(tmp_path / "out") == []


# The seed


def test_no_seed_is_drawn_where_the_sampler_uses_no_noise(
    tiny_model, write_song, tmp_path, monkeypatch
):
    def fail():
        raise AssertionError("a seed was drawn")

    monkeypatch.setattr(module, "draw_seed", fail)
    song = write_song(seconds=0.5)
    first = separate(tiny_model, song, tmp_path, seed=None)
    assert first.seed is None
    manifest = load_manifest(first.manifest)
    assert manifest.identity["options"]["seed"] is None
    assert manifest.request["options"]["seed"] is None
    for seed in (1, 2):
        again = separate(tiny_model, song, tmp_path, seed=seed)
        assert again == dataclasses.replace(first, calls=0, skipped=True)


def test_a_seed_is_drawn_where_none_is_given(tiny_model, write_song, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "draw_seed", lambda: 1234)
    song = write_song(seconds=0.5)
    result = separate(tiny_model, song, tmp_path / "a", quality="default", seed=None)
    assert result.seed == load_manifest(result.manifest).seed == 1234
    given = separate(tiny_model, song, tmp_path / "b", quality="default", seed=1234)
    assert result.files["bass"].read_bytes() == given.files["bass"].read_bytes()


# What is there already


@pytest.mark.parametrize("quality", ["fast", "default"])
def test_what_is_done_is_not_done_again(tiny_model, write_song, tmp_path, quality):
    song = write_song(seconds=0.5)
    first = separate(tiny_model, song, tmp_path, quality=quality)
    again = separate(tiny_model, song, tmp_path, quality=quality)
    unseeded = separate(tiny_model, song, tmp_path, quality=quality, seed=None)
    assert not first.skipped
    assert again == unseeded == dataclasses.replace(first, calls=0, skipped=True)


@pytest.mark.parametrize("change", ["seed", "song", "lost", "cut"])
def test_what_differs_is_not_taken_for_done(tiny_model, write_song, tmp_path, change):
    song = write_song(seconds=0.5, channels=1)
    first = separate(tiny_model, song, tmp_path, quality="default")
    if change == "song":
        write_song(seconds=0.5, channels=1, seed=9)
    if change == "lost":
        first.files["bass"].unlink()
    if change == "cut":
        first.files["bass"].write_bytes(first.files["bass"].read_bytes()[:-1])
    fields = {"quality": "default", "seed": 6 if change == "seed" else 5}
    with pytest.raises(ResultsExist, match="is there already"):
        separate(tiny_model, song, tmp_path, **fields)
    redone = separate(tiny_model, song, tmp_path, overwrite=True, **fields)
    assert not redone.skipped
    assert redone.calls > 0
    assert check_results(redone.manifest, song).exact


def test_nothing_is_replaced_unless_asked(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    first = separate(tiny_model, song, tmp_path)
    first.manifest.unlink()
    first.files["bass"].write_bytes(b"mine")
    with pytest.raises(ResultsExist, match="is there already"):
        separate(tiny_model, song, tmp_path)
    assert first.files["bass"].read_bytes() == b"mine"
    assert not first.manifest.exists()
    separate(tiny_model, song, tmp_path, overwrite=True)
    assert first.files["bass"].read_bytes() != b"mine"


def test_the_song_itself_is_never_replaced(tiny_model, write_song, tmp_path):
    song = write_song("bass/bass.wav", 0.5)
    before = song.read_bytes()
    with pytest.raises(ReplacesInput, match="is an input"):
        separate(tiny_model, song, tmp_path, overwrite=True)
    assert song.read_bytes() == before


def test_an_interrupted_replacement_is_not_taken_for_done(
    tiny_model, write_song, tmp_path, monkeypatch
):
    song = write_song(seconds=0.5)
    commit = SoundFileWriter.commit
    committed = []

    def stop_at_the_third(writer):
        if len(committed) == 2:
            raise KeyboardInterrupt
        committed.append(writer.path.name)
        commit(writer)

    fields = {"quality": "default"}
    first = separate(tiny_model, song, tmp_path, seed=1, **fields)
    monkeypatch.setattr(SoundFileWriter, "commit", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        separate(tiny_model, song, tmp_path, seed=2, overwrite=True, **fields)
    monkeypatch.undo()
    assert committed == ["bass.wav", "drums.wav"]
    with pytest.raises(ResultsExist, match="is there already"):
        separate(tiny_model, song, tmp_path, seed=1, **fields)
    again = separate(tiny_model, song, tmp_path, seed=1, overwrite=True, **fields)
    assert not check_results(again.manifest, song).problems
    assert again.files == first.files


def test_stems_can_be_named(tiny_model, write_song, tmp_path):
    output = OutputOptions(name="{stem} of {track}.{ext}")
    result = separate(tiny_model, write_song(), tmp_path, output=output)
    assert result.files["bass"] == tmp_path / "bass of song.wav"
    assert result.manifest == tmp_path / "msdm of song.json"


def test_a_song_whose_name_leads_out_is_refused(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.2).rename(tmp_path / "...wav")
    with pytest.raises(UnwritableResults, match="is not inside"):
        separate(tiny_model, song, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# The bytes


def list_riff_chunks(path):
    """The names of the chunks of a WAV file."""
    content = path.read_bytes()
    position, names = 12, []
    while position < len(content):
        names.append(content[position : position + 4])
        position += 8 + int.from_bytes(content[position + 4 : position + 8], "little")
    return names


@pytest.mark.parametrize(
    ("file_format", "subtype"),
    [("wav", "FLOAT"), ("wav", "DOUBLE"), ("ogg", None), ("flac", None)],
)
def test_the_same_job_gives_the_same_bytes(tiny_model, write_song, tmp_path, file_format, subtype):
    song = write_song(seconds=0.5)
    output = OutputOptions(file_format, subtype)
    first, again = (
        separate(tiny_model, song, tmp_path / name, output=output) for name in ("one", "two")
    )
    for name, path in first.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()
        if file_format == "wav":  # libsndfile's chunk PEAK would hold the time of writing
            chunks = list_riff_chunks(path)
            assert b"data" in chunks
            assert b"PEAK" not in chunks
    assert not check_results(first.manifest, song).problems


# Imputation and generation


def test_given_stems_are_copied_beside_the_imputed_ones(tiny_model, write_song, tmp_path):
    drums = write_song("drums.wav", 1, 44100, 2)
    before = drums.read_bytes()
    result = impute(tiny_model, {"drums": drums}, tmp_path / "out", targets=("piano", "bass"))
    assert drums.read_bytes() == before == result.files["drums"].read_bytes()
    assert list(result.files) == ["drums", "piano", "bass", "mixture"]
    for path in result.files.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.frames) == (44100, 2, 44100)
    names = ("drums", "piano", "bass", "mixture")
    *stems, mixture = (read_sound(result.files[name]) for name in names)
    np.testing.assert_allclose(sum(stems), mixture, atol=3 * WRITTEN_TOLERANCE)


def test_a_mixture_that_would_clip_is_turned_down_alone(tiny_model, tmp_path):
    drums = tmp_path / "drums.wav"
    soundfile.write(drums, np.sign(music(22_050)).T * 0.999, 22050, "PCM_16")
    loud = impute(tiny_model, {"drums": drums}, tmp_path / "out")
    assert loud.gain < 1
    assert loud.mixture_only
    stems = sum(read_sound(loud.files[name]) for name in ("drums", "piano"))
    mixture = read_sound(loud.files["mixture"])
    np.testing.assert_allclose(loud.gain * stems, mixture, atol=2 * WRITTEN_TOLERANCE)
    assert loud.clipped == 0


def test_new_stems_that_would_clip_are_turned_down_with_the_mixture(tiny_model, tmp_path):
    class Loud(SpyDenoiser):
        def __call__(self, *arguments):
            return super().__call__(*arguments) * np.float32(20)

    model = replace_denoisers(tiny_model, Loud(tiny_model.choose(0)))
    drums = tmp_path / "drums.wav"
    soundfile.write(drums, music(22_050).T, 22050, "PCM_16")
    loud = impute(model, {"drums": drums}, tmp_path / "out")
    assert loud.gain < 1
    assert (loud.mixture_only, loud.clipped) == (False, 0)
    np.testing.assert_array_equal(read_sound(loud.files["drums"]), read_sound(drums))
    assert loud.stay == ("drums",)


def test_a_given_file_is_not_replaced_even_when_asked(tiny_model, write_song, tmp_path):
    bass = write_song("piano.wav", 0.5)
    before = bass.read_bytes()
    with pytest.raises(ReplacesInput, match="is an input"):
        impute(tiny_model, {"bass": bass}, tmp_path, overwrite=True)
    assert bass.read_bytes() == before


def test_an_imputation_into_the_folder_of_a_given_stem_lists_it_and_copies_nothing(
    tiny_model, write_song, tmp_path
):
    drums = write_song("drums.wav", 0.5)
    before = drums.read_bytes()
    result = impute(tiny_model, {"drums": drums}, tmp_path)
    assert list(result.files) == ["drums", "piano", "mixture"]
    assert list_files(tmp_path) == ["drums.wav", "mixture.wav", "msdm.json", "piano.wav"]
    assert drums.read_bytes() == before
    assert check_results(tmp_path, None).whole == ["drums", "piano", "mixture"]
    assert list(open_stem_folder(tmp_path).stems) == ["drums", "piano"]
    again = impute(tiny_model, {"drums": drums}, tmp_path)
    assert again == dataclasses.replace(result, calls=0, skipped=True)


def test_a_given_stem_that_stays_where_it_is_keeps_others_from_another_rate(
    tiny_model, write_song, tmp_path
):
    drums = write_song("drums.wav", 0.5)
    output = OutputOptions(name="{stem}.{ext}", rate=16000)
    with pytest.raises(ReplacesInput, match="44100 Hz, and would lie among stems of 16000 Hz"):
        impute(tiny_model, {"drums": drums}, tmp_path, output=output)
    assert list_files(tmp_path) == ["drums.wav"]


def test_a_stem_that_is_there_is_not_replaced_by_an_imputed_one(tiny_model, write_song, tmp_path):
    drums = write_song("drums.wav", 0.5)
    piano = tmp_path / "piano.wav"
    soundfile.write(piano, music(100).T, 22050)
    before = piano.read_bytes()
    with pytest.raises(ResultsExist, match=r"piano\.wav: is there already"):
        impute(tiny_model, {"drums": drums}, tmp_path)
    assert piano.read_bytes() == before


@pytest.mark.parametrize(("rate", "seconds", "unit"), [(48000, 1, "Hz"), (44100, 1.1, "samples")])
def test_given_stems_that_do_not_fit_leave_nothing(
    tiny_model, write_song, tmp_path, rate, seconds, unit
):
    given = {
        "drums": write_song("drums.wav", 1, 44100),
        "bass": write_song("bass.wav", seconds, rate),
    }
    with pytest.raises(UnsuitableAudio, match=unit):
        impute(tiny_model, given, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_generated_files_sum_to_their_mixture(tiny_model, tmp_path):
    output = OutputOptions(subtype="FLOAT")
    result = generate(tiny_model, tmp_path, 2.0, output=output)
    assert list(result.files) == [*STEMS, "mixture"]
    assert result.files["bass"] == tmp_path / "seed-1" / "bass.wav"
    assert (result.properties.sample_rate, result.properties.frames) == (22050, 44_100)
    stems = {name: read_sound(path) for name, path in result.files.items()}
    mixture = stems.pop("mixture")
    assert np.abs(mixture).max() < 4
    # Three sums of single precision, of values below 4: half a unit of the last place each.
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=3 * 2.0**-23)


def test_generated_files_that_would_clip_are_turned_down_together(tiny_model, tmp_path):
    class Loud(SpyDenoiser):
        def __call__(self, *arguments):
            return super().__call__(*arguments) * np.float32(20)

    model = replace_denoisers(tiny_model, Loud(tiny_model.choose(0)))
    floats = generate(model, tmp_path / "floats", 0.5, output=OutputOptions(subtype="FLOAT"))
    integers = generate(model, tmp_path / "integers", 0.5)
    assert (floats.gain, floats.clipped) == (1, 0)
    assert integers.gain < 1
    assert not integers.mixture_only
    assert integers.clipped == 0
    for name, path in floats.files.items():
        expected = integers.gain * read_sound(path)
        written = read_sound(integers.files[name])
        np.testing.assert_allclose(written, expected, atol=WRITTEN_TOLERANCE)


def test_the_seed_of_a_generation_decides_every_byte(tiny_model, tmp_path):
    one, two, other = (
        generate(tiny_model, tmp_path / name, 1.5, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for name, path in one.files.items():
        assert path.read_bytes() == two.files[name].read_bytes()
    assert one.files["drums"].read_bytes() != other.files["drums"].read_bytes()


def test_no_length_is_refused(tiny_model, tmp_path):
    with pytest.raises(UnsuitableAudio, match="is no length"):
        generate(tiny_model, tmp_path, 0.0)


def test_a_subtype_that_the_format_has_not_is_refused(tiny_model, write_song, tmp_path):
    output = OutputOptions("flac", "FLOAT")
    with pytest.raises(UnwritableAudio, match="flac has no subtype FLOAT"):
        separate(tiny_model, write_song(), tmp_path / "out", output=output)
    assert not (tmp_path / "out").exists()


# Interruptions


JOBS = {
    "separate": lambda model, song, folder, seed: separate(
        model, song, folder, quality="default", seed=seed
    ),
    "impute": lambda model, song, folder, seed: impute(model, {"drums": song}, folder, seed=seed),
    "generate": lambda model, song, folder, seed: generate(
        model, folder, 2.5, seed=seed, track="music"
    ),
}


@pytest.mark.parametrize("task", JOBS)
@pytest.mark.parametrize("calls", [1, 4, 9])
def test_an_interrupted_job_continues_to_the_same_bytes(
    tiny_model, write_song, tmp_path, task, calls
):
    song = write_song("drums.wav", seconds=2.5, channels=1)

    def interrupt(number):
        if number > calls:
            raise KeyboardInterrupt

    model, _ = spy_on(tiny_model, interrupt)
    with pytest.raises(KeyboardInterrupt):
        JOBS[task](model, song, tmp_path / "a", None)
    left = list_files(tmp_path / "a")
    assert not [name for name in left if name.endswith(".wav")]
    finished = sum(name.endswith(".chunk") for name in left)
    # Without a seed, it continues with that of its journal.
    resumed = JOBS[task](tiny_model, song, tmp_path / "a", None)
    whole = JOBS[task](tiny_model, song, tmp_path / "b", resumed.seed)
    calls_per_chunk = tiny_model.spec.preset(task, "default").calls
    assert finished == calls // calls_per_chunk
    assert whole.calls - resumed.calls == finished * calls_per_chunk
    # Its calls are not all that it took, and its manifest says so.
    assert load_manifest(resumed.manifest).facts.resumed == (finished > 0)
    assert not load_manifest(whole.manifest).facts.resumed
    for name, path in whole.files.items():
        assert resumed.files[name].read_bytes() == path.read_bytes()
    assert not [name for name in list_files(tmp_path / "a") if ".part" in name]


def stop_at_call(model, calls):
    """A model that is interrupted at a network call."""

    def interrupt(number):
        if number > calls:
            raise KeyboardInterrupt

    return spy_on(model, interrupt)[0]


def read_files(folder):
    return {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(("absent", "resumed"), [(("piano",), True), (("bass",), False)])
def test_a_job_with_other_absent_stems_starts_again(
    tiny_model, write_song, tmp_path, absent, resumed
):
    song = write_song(seconds=2.5, channels=1)
    with pytest.raises(KeyboardInterrupt):
        separate(stop_at_call(tiny_model, 2), song, tmp_path / "a", absent=("piano",))
    assert any(name.endswith(".chunk") for name in list_files(tmp_path / "a"))
    made = separate(tiny_model, song, tmp_path / "a", absent=absent)
    assert load_manifest(made.manifest).facts.resumed == resumed
    whole = separate(tiny_model, song, tmp_path / "b", absent=absent)
    assert made.files.keys() == whole.files.keys() == {*STEMS}.difference(absent)
    for name, path in whole.files.items():
        assert made.files[name].read_bytes() == path.read_bytes()


def test_results_with_other_absent_stems_are_in_the_way(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.3)
    separate(tiny_model, song, tmp_path)
    with pytest.raises(ResultsExist, match="for other settings"):
        separate(tiny_model, song, tmp_path, absent=("piano",))
    made = separate(tiny_model, song, tmp_path, absent=("piano",), overwrite=True)
    assert list(made.files) == list(STEMS[:3])
    np.testing.assert_array_equal(sum_sounds(made), read_sound(song))
    assert separate(tiny_model, song, tmp_path, absent=("piano",)).skipped


@pytest.mark.parametrize("earlier", ["results", "files"])
def test_an_interrupted_job_gives_the_next_no_right_to_replace(
    tiny_model, write_song, tmp_path, earlier
):
    song = write_song(seconds=2.5, channels=1)
    fields = {"quality": "default", "seed": 1}
    if earlier == "results":
        separate(tiny_model, song, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        separate(stop_at_call(tiny_model, 9), song, tmp_path, overwrite=True, **fields)
    assert any(name.endswith(".chunk") for name in list_files(tmp_path))
    drums = tmp_path / "song" / "drums.wav"
    drums.write_bytes(b"mine")
    before = read_files(drums.parent)
    with pytest.raises(ResultsExist, match="is there already"):
        separate(tiny_model, song, tmp_path, **fields)
    assert read_files(drums.parent) == before
    # What was drawn is kept for the command that may replace.
    assert any(name.endswith(".chunk") for name in list_files(tmp_path))
    separate(tiny_model, song, tmp_path, overwrite=True, **fields)
    assert drums.read_bytes() != b"mine"


@pytest.mark.parametrize("edited", [False, True])
def test_a_job_that_was_stopped_while_it_gave_names_replaces_only_what_it_had_made(
    tiny_model, write_song, tmp_path, monkeypatch, edited
):
    song = write_song(seconds=2.5, channels=1)
    commit = SoundFileWriter.commit

    def stop_at_drums(writer):
        if writer.path.stem == "drums":
            raise KeyboardInterrupt
        commit(writer)

    monkeypatch.setattr(SoundFileWriter, "commit", stop_at_drums)
    with pytest.raises(KeyboardInterrupt):
        separate(tiny_model, song, tmp_path, quality="default", seed=1)
    monkeypatch.undo()
    bass = tmp_path / "song" / "bass.wav"
    assert bass.exists()
    if edited:
        bass.write_bytes(b"mine")
        with pytest.raises(ResultsExist, match=r"bass\.wav: is there already"):
            separate(tiny_model, song, tmp_path, quality="default", seed=1)
        assert bass.read_bytes() == b"mine"
    else:
        result = separate(tiny_model, song, tmp_path, quality="default", seed=1)
        assert check_results(result.manifest, song).exact


def test_a_journal_beside_complete_results_is_discarded(tiny_model, write_song, tmp_path):
    song = write_song(seconds=2)
    result = separate(tiny_model, song, tmp_path)
    journal = request_separation(tiny_model, song, tmp_path).journal
    journal.mkdir()
    (journal / "job.json").write_text(json.dumps(load_manifest(result.manifest).identity))
    (journal / "0.chunk").write_bytes(b"")
    assert separate(tiny_model, song, tmp_path).skipped
    assert not journal.exists()
