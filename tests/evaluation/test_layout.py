import numpy as np
import pytest
import soundfile

from msdm_cli.errors import NoSongs, UnsuitableAudio
from msdm_cli.evaluation.layout import Layout

RATE = 22050
LAYOUT = Layout(("left", "right"), RATE)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, "FLOAT" if path.suffix == ".wav" else None)


def noise(*shape):
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)


def test_a_song_is_a_folder_with_a_stem(tmp_path):
    write(tmp_path / "b" / "left.wav", noise(100))
    write(tmp_path / "a" / "right.flac", noise(100))
    write(tmp_path / "c" / "other.wav", noise(100))
    write(tmp_path / "left.wav", noise(100))
    assert LAYOUT.find_songs(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert LAYOUT.find_stems(tmp_path / "a") == {"right": tmp_path / "a" / "right.flac"}


def test_a_folder_without_songs_is_reported(tmp_path):
    with pytest.raises(NoSongs, match="holds no songs") as raised:
        LAYOUT.find_songs(tmp_path)
    assert "left.flac, right.flac" in raised.value.remedy
    with pytest.raises(NoSongs, match="none: no such folder"):
        LAYOUT.find_songs(tmp_path / "none")


def test_stems_have_one_channel_and_the_common_length(tmp_path):
    left = noise(3000, 2)
    write(tmp_path / "left.wav", left)
    write(tmp_path / "right.wav", left[:2500, 0])
    stems = LAYOUT.load_stems(tmp_path)
    np.testing.assert_array_equal(stems[0], left[:2500].mean(1))
    np.testing.assert_array_equal(stems[1], left[:2500, 0])


def test_stems_come_at_the_rate_of_the_layout(tmp_path):
    write(tmp_path / "left.wav", noise(4000), 2 * RATE)
    assert LAYOUT.load_stems(tmp_path).shape == (2, 2000)


def test_a_stem_without_a_file_is_silent(tmp_path):
    write(tmp_path / "right.wav", noise(3000))
    assert not LAYOUT.load_stems(tmp_path)[0].any()


@pytest.mark.parametrize("load", [LAYOUT.load_stems, LAYOUT.load_mixture])
def test_stems_of_different_lengths_are_refused(tmp_path, load):
    write(tmp_path / "left.wav", noise(10_000))
    write(tmp_path / "right.wav", noise(7_000))
    with pytest.raises(UnsuitableAudio, match="10000, 7000 samples"):
        load(tmp_path)


def test_the_mixture_is_the_sum_at_the_rate_of_the_files(tmp_path):
    left, right = noise(2, 100_000)
    write(tmp_path / "left.wav", left, 44100)
    write(tmp_path / "right.wav", np.stack([right, right], 1), 44100)
    mixture = LAYOUT.load_mixture(tmp_path)
    assert mixture.properties.sample_rate == 44100
    np.testing.assert_array_equal(mixture.samples, (left + right)[None])


def test_stems_of_different_rates_have_no_mixture(tmp_path):
    write(tmp_path / "left.wav", noise(3000), 44100)
    write(tmp_path / "right.wav", noise(3000), 22050)
    with pytest.raises(UnsuitableAudio, match="22050 Hz, 44100 Hz"):
        LAYOUT.load_mixture(tmp_path)
