"""Songs that are repeated."""

import numpy as np
import soundfile
from conftest import music

from scripts.bench.long_songs import RATE_HZ, write_repeated


def test_a_song_is_repeated_to_a_length(tmp_path):
    once = music(RATE_HZ, 2, RATE_HZ)
    soundfile.write(tmp_path / "once.wav", once.T, RATE_HZ, "FLOAT")
    write_repeated(tmp_path / "once.wav", tmp_path / "long.wav", 2.5)
    samples, rate = soundfile.read(tmp_path / "long.wav", dtype="float32")
    assert rate == RATE_HZ
    assert len(samples) == round(2.5 * RATE_HZ)
    expected = np.concatenate([once, once, once], 1)[:, : len(samples)].T
    np.testing.assert_allclose(samples, expected, atol=2**-15)
    write_repeated(tmp_path / "once.wav", tmp_path / "short.wav", 0.1)
    assert soundfile.info(tmp_path / "short.wav").frames == round(0.1 * RATE_HZ)
