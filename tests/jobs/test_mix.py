import numpy as np
import pytest
import soundfile
from conftest import music, read_sound, separate

from msdm_cli.errors import (
    MissingStems,
    ReplacesInput,
    ResultsExist,
    UnsuitableAudio,
    UnsuitableFormat,
)
from msdm_cli.jobs.mix import mix_stems


@pytest.fixture
def stems(tmp_path):
    """Three stems of 16 bits, by name."""
    paths = {}
    for seed, name in enumerate(("bass", "drums", "piano")):
        paths[name] = tmp_path / f"{name}.wav"
        soundfile.write(paths[name], music(70_000, 2, seed=seed).T, 22050, "PCM_16")
    return paths


def test_a_minus_one_is_the_song_minus_the_stem_to_the_last_bit(tiny_model, write_song, tmp_path):
    song = write_song(seconds=2)
    made = separate(tiny_model, song, tmp_path / "stems")
    mixed = mix_stems(made.files, {"drums": 0.0}, tmp_path / "minus.wav")
    difference = read_sound(song) - read_sound(made.files["drums"])
    np.testing.assert_array_equal(read_sound(mixed.path), difference)
    assert (mixed.gain_db, mixed.clipped) == (0, 0)
    at_once = separate(tiny_model, song, tmp_path / "once", mixes={"without-drums": {"drums": 0.0}})
    assert at_once.files["without-drums"].read_bytes() == mixed.path.read_bytes()


def test_gains(stems, tmp_path):
    mixed = mix_stems(stems, {"bass": 0.5, "piano": 0.0}, tmp_path / "m.flac", subtype="PCM_24")
    expected = 0.5 * read_sound(stems["bass"]) + read_sound(stems["drums"])
    np.testing.assert_allclose(read_sound(mixed.path), expected, atol=2**-24)
    assert soundfile.info(mixed.path).subtype == "PCM_24"


def test_a_loud_mix_is_softer_as_a_whole(stems, tmp_path):
    mixed = mix_stems(stems, {"drums": 10.0}, tmp_path / "m.wav")
    factors = {"bass": 1, "drums": 10, "piano": 1}
    expected = sum(factor * read_sound(stems[name]) for name, factor in factors.items())
    gain = 10 ** (mixed.gain_db / 20)
    assert mixed.gain_db < -6
    assert mixed.clipped == 0
    # Half a unit of 16 bits.
    np.testing.assert_allclose(read_sound(mixed.path), gain * expected, atol=0.51 / 32768)
    assert np.abs(read_sound(mixed.path)).max() > 0.999
    floats = mix_stems(stems, {"drums": 10.0}, tmp_path / "f.wav", subtype="FLOAT")
    assert floats.gain_db == 0
    assert np.abs(read_sound(floats.path)).max() > 1


def test_tags_are_those_of_the_song(tiny_model, tmp_path):
    song = tmp_path / "song.flac"
    with soundfile.SoundFile(song, "w", 22050, 1) as file:
        file.title = "A title"
        file.write(music(5000)[0])
    made = separate(tiny_model, song, tmp_path / "stems")
    mix_stems(made.files, {}, tmp_path / "mix.flac")
    with soundfile.SoundFile(tmp_path / "mix.flac") as file:
        assert file.title == "A title (mix)"


def test_a_mono_stem_sounds_in_all_channels(stems, tmp_path):
    mono = read_sound(stems["bass"])[:1]
    soundfile.write(stems["bass"], mono.T, 22050, "FLOAT")
    others = read_sound(stems["drums"]) + read_sound(stems["piano"])
    mixed = mix_stems(stems, {}, tmp_path / "m.wav", subtype="FLOAT")
    np.testing.assert_allclose(read_sound(mixed.path), mono + others, atol=1e-6)
    soundfile.write(stems["piano"], music(70_000, 3).T, 22050)
    with pytest.raises(UnsuitableAudio, match=r"channels: piano\.wav has 3, drums\.wav has 2"):
        mix_stems(stems, {}, tmp_path / "n.wav")


def test_what_does_not_go_together(stems, tmp_path):
    path = tmp_path / "m.wav"
    with pytest.raises(MissingStems, match="kazoo"):
        mix_stems(stems, {"kazoo": 0.0}, path)
    with pytest.raises(ReplacesInput):
        mix_stems(stems, {}, stems["bass"], overwrite=True)
    with pytest.raises(ValueError, match=r"\.xyz"):
        mix_stems(stems, {}, tmp_path / "m.xyz")
    soundfile.write(stems["bass"], music(10, 2).T, 22050)
    with pytest.raises(UnsuitableAudio, match="frames: bass"):
        mix_stems(stems, {}, path)
    assert not path.exists()
    path.touch()
    del stems["bass"]
    with pytest.raises(ResultsExist):
        mix_stems(stems, {}, path)
    mix_stems(stems, {}, path, overwrite=True)
    assert path.stat().st_size


def test_a_format_has_the_rate_of_the_stems(stems, tmp_path):
    for path in stems.values():
        soundfile.write(path, music(5000).T, 96_000, "PCM_16")
    with pytest.raises(UnsuitableFormat, match="mp3 has no 96000 Hz") as raised:
        mix_stems(stems, {}, tmp_path / "mix.mp3")
    assert "mix.flac" in raised.value.remedy
