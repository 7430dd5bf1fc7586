"""Results at other rates, and in formats that have few."""

import numpy as np
import pytest
import soundfile
from conftest import generate, impute, music, read_sound, separate

from msdm_cli.audio.source import ArraySource, AudioProperties
from msdm_cli.errors import UnwritableAudio
from msdm_cli.jobs.check import check_results
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.rate import add_given, change_loop_rate, change_rate, read_at
from msdm_cli.tasks.stream import StemBlock


def test_blocks_of_any_size_are_resampled_as_the_whole():
    sound = ArraySource(music(100_000, 2, 44100), 44100)
    after = OutputOptions(rate=22050).describe(sound.properties)
    assert (after.sample_rate, after.frames) == (22050, 50_000)
    whole = np.concatenate(list(read_at(sound, 22050, 1 << 20)), 1)
    parts = np.array_split(sound.samples, 7, axis=1)
    blocks = [StemBlock({"one": part / 4, "two": part * 3 / 4}, part) for part in parts]
    made = list(change_rate(blocks, sound.properties, after))
    mixture = np.concatenate([block.mixture for block in made], 1)
    stems = [np.concatenate([block.stems[name] for block in made], 1) for name in ("one", "two")]
    assert mixture.shape == (2, 50_000)
    np.testing.assert_array_equal(mixture, whole)
    np.testing.assert_allclose(sum(stems), mixture, atol=1e-6)


@pytest.mark.parametrize("rate", [44100, 48000, 16000])
def test_the_end_of_a_loop_leads_to_its_beginning_at_any_rate(rate):
    """Tones that fit into a loop are what they would be at the other rate, up to its very ends."""
    before = AudioProperties(22050, 1, 11025, "PCM_16")
    after = OutputOptions(rate=rate).describe(before)

    def sing(frames):
        turns = np.arange(frames) / frames
        return np.sin(2 * np.pi * 100 * turns + 1) + np.cos(2 * np.pi * 777 * turns)

    parts = np.array_split(sing(before.frames)[None].astype(np.float32), 3, axis=1)
    blocks = [StemBlock({"bass": part}, 2 * part) for part in parts]
    (made,) = change_loop_rate(blocks, after)
    np.testing.assert_allclose(made.stems["bass"][0], sing(after.frames), atol=1e-5)
    np.testing.assert_allclose(made.mixture[0], 2 * sing(after.frames), atol=2e-5)


def test_given_stems_are_read_in_step_with_the_blocks():
    given = ArraySource(music(1000), 22050)
    blocks = [StemBlock({}, np.zeros((2, count))) for count in (300, 700)]
    made = list(add_given(blocks, {"drums": given}))
    joined = np.concatenate([block.stems["drums"] for block in made], 1)
    np.testing.assert_array_equal(joined, np.repeat(given.samples, 2, 0))


@pytest.mark.parametrize("rate", [44100, 16000])
def test_stems_of_another_rate_sum_to_the_song_at_that_rate(tiny_model, write_song, tmp_path, rate):
    song = write_song(seconds=1.5, rate=22050)
    made = separate(tiny_model, song, tmp_path / "stems", output=OutputOptions(rate=rate))
    for path in made.files.values():
        found = soundfile.info(path)
        assert (found.samplerate, found.frames) == (rate, round(1.5 * rate))
    report = check_results(made.manifest, None)
    assert report.exact
    assert report.problems == []


@pytest.mark.parametrize(
    ("file_format", "rate", "written"), [("opus", 44100, 48000), ("mp3", 44100, 44100)]
)
def test_lossy_stems_have_the_length_and_the_place_of_the_song(
    tiny_model, write_song, tmp_path, file_format, rate, written
):
    song = write_song(seconds=1.5, rate=rate)
    output = OutputOptions(file_format)
    made = separate(tiny_model, song, tmp_path / "a", output=output)
    assert made.properties.sample_rate == written
    total = sum(soundfile.read(path)[0] for path in made.files.values()).T
    expected = np.concatenate(list(read_at(ArraySource(read_sound(song), rate), written, 9999)), 1)
    assert total.shape == expected.shape
    # A delay of the codec would leave about as much as the song.
    left = np.square(total - expected).sum() / np.square(expected).sum()
    assert left < 0.2
    again = separate(tiny_model, song, tmp_path / "b", output=output)
    for name, path in made.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()


@pytest.mark.parametrize(("file_format", "subtype"), [("aiff", "PCM_24"), ("caf", "FLOAT")])
def test_aiff_and_caf_are_as_exact_as_wav(tiny_model, write_song, tmp_path, file_format, subtype):
    song = write_song(seconds=0.5, subtype=subtype)
    output = OutputOptions(file_format)
    made = separate(tiny_model, song, tmp_path / "a", output=output)
    total = sum(read_sound(path) for path in made.files.values())
    np.testing.assert_allclose(total, read_sound(song), atol=1e-7 if subtype == "FLOAT" else 0)
    assert check_results(made.manifest, None).problems == []
    again = separate(tiny_model, song, tmp_path / "b", output=output)
    for name, path in made.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()


def test_given_stems_get_the_rate_of_the_others(tiny_model, write_song, tmp_path):
    drums = write_song("drums.wav", seconds=0.5)
    output = OutputOptions("opus", name="{stem}.{ext}")
    made = impute(tiny_model, {"drums": drums}, tmp_path / "out", output=output)
    assert {path.name for path in made.files.values()} == {
        "drums.opus",
        "mixture.opus",
        "piano.opus",
    }
    lengths = {soundfile.info(path).frames for path in made.files.values()}
    assert lengths == {24_000}


def test_generated_music_at_another_rate(tiny_model, tmp_path):
    made = generate(tiny_model, tmp_path, 0.5, output=OutputOptions(rate=48000))
    assert {soundfile.info(path).samplerate for path in made.files.values()} == {48000}


def test_channels_that_a_format_lacks(tiny_model, write_song, tmp_path):
    with pytest.raises(UnwritableAudio, match="mp3 has 2 channels"):
        separate(tiny_model, write_song(channels=6), tmp_path, output=OutputOptions("mp3"))
