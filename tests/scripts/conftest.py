"""Songs that tests of the scripts train on and measure with."""

import pytest
import soundfile
from conftest import STEMS, music

RATE_HZ = 22050
SECONDS = 6


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    """Three songs to train on, and two to validate."""
    folder = tmp_path_factory.mktemp("songs")
    for split, count in (("train", 3), ("validation", 2)):
        for song in range(count):
            for index, stem in enumerate(STEMS):
                path = folder / split / f"Track{song:05d}" / f"{stem}.flac"
                path.parent.mkdir(parents=True, exist_ok=True)
                samples = music(RATE_HZ * SECONDS, 1, RATE_HZ, seed=10 * song + index)
                soundfile.write(path, samples.T, RATE_HZ)
    (folder / "train" / "Track00099.part").mkdir()
    return folder
