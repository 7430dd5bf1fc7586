"""These tests need what ``pip install '.[training]'`` brings."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from scripts.songs import STEMS

PACKAGES = ("mido", "pedalboard", "pysfizz", "scipy")
collect_ignore_glob = [] if all(map(find_spec, PACKAGES)) else ["test_*.py"]

RATE_HZ = 22050
SILENT_SAMPLES = 2000


def play_tone(pitch, seconds=1.5):
    """Five partials that die away."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    hz = 440 * 2 ** ((pitch - 69) / 12)
    partials = sum(np.sin(2 * np.pi * hz * n * time) / n for n in range(1, 6))
    return 0.3 * partials * np.exp(-time)


@pytest.fixture(scope="session")
def composed():
    """A song of our composer in which all play."""
    from scripts.dataset.composer import compose

    return next(
        song
        for song in map(compose, map(str, range(100)))
        if all(song.song.parts[stem].notes for stem in STEMS)
    )


@pytest.fixture
def write_instrument():
    """Writes zones an octave wide by their stated pitch, which sound so many semitones off it."""

    def write(folder, semitones_off, **changed):
        folder.mkdir(parents=True)
        zones = []
        for pitch, off in semitones_off.items():
            samples = np.concatenate([np.zeros(SILENT_SAMPLES), play_tone(pitch + off)])
            (samples * 32767).astype("<i2").tofile(folder / f"{pitch}.raw")
            zone = {
                "file": f"{pitch}.raw",
                "original_pitch_cents": 100.0 * pitch,
                "key_low": pitch - 6,
                "key_high": pitch + 5,
                "loop_start": -1,
                "loop_end": -2,
                "coarse_tune": 0,
                "fine_tune": 0,
                "sample_rate": RATE_HZ,
            }
            zones.append(zone | changed)
        (folder / "zones.json").write_text(json.dumps({"zones": zones}))
        return folder

    return write


@pytest.fixture
def make_zone():
    """Makes a zone of a tone that sounds as stated, without a loop."""
    from scripts.dataset.zones import Zone

    def make(root=60.0, seconds=1.5, low=54, high=65):
        audio = play_tone(root, seconds).astype(np.float32)
        return Zone(audio, RATE_HZ, low, high, root, None)

    return make
