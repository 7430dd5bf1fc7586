"""Whether two folders of results hold the same samples."""

import numpy as np
import pytest
import soundfile

from scripts.bench.compare.sounds import find_difference

RATE_HZ = 22050


@pytest.fixture
def folders(tmp_path):
    """Two folders of the same song in 24 bits and in floats."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 2))
    for name in ("old", "new"):
        (tmp_path / name / "song").mkdir(parents=True)
        for subtype in ("PCM_24", "FLOAT"):
            path = tmp_path / name / "song" / f"{subtype}.wav"
            soundfile.write(path, noise, RATE_HZ, subtype)
        (tmp_path / name / "song" / "msdm.json").write_text(name)
    return tmp_path / "old", tmp_path / "new"


def change(path, subtype, amount):
    samples, rate = soundfile.read(path, dtype="float64")
    samples[500, 1] += amount
    soundfile.write(path, samples, rate, subtype)


def test_equal_samples_are_equal(folders):
    assert find_difference(*folders) == (2, "")


def test_one_unit_of_one_sample_is_a_difference(folders):
    change(folders[1] / "song" / "PCM_24.wav", "PCM_24", 2.0**-23)
    assert find_difference(*folders) == (2, "PCM_24.wav: up to 1.2e-07 of full scale")


def test_a_float_that_differs_is_a_difference(folders):
    change(folders[1] / "song" / "FLOAT.wav", "FLOAT", 1e-6)
    number, difference = find_difference(*folders)
    assert number == 2
    assert difference.startswith("FLOAT.wav: up to 1.0e-06")


def test_another_format_is_a_difference(folders):
    path = folders[1] / "song" / "FLOAT.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, samples, rate, "PCM_16")
    assert "PCM_16, 2 x 1000" in find_difference(*folders)[1]


def test_other_names_and_no_names_are_differences(folders):
    (folders[1] / "song" / "FLOAT.wav").rename(folders[1] / "song" / "double.wav")
    assert find_difference(*folders)[1] == "other names: song/FLOAT.wav, song/double.wav"
    assert find_difference(folders[0] / "none", folders[1]) == (0, "no files")
