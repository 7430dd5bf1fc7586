"""Amplifiers, rooms and other effects."""

from random import Random

import numpy as np
import pytest
import soundfile

from scripts.dataset import effects
from scripts.dataset.score import SAMPLE_RATE_HZ


@pytest.fixture
def cabinets(monkeypatch, tmp_path):
    """Two loudspeakers in files, of which one delays by 1000 samples."""
    effects._cabinets.cache_clear()
    monkeypatch.setattr(effects, "CABINETS", tmp_path)
    (tmp_path / "amps").mkdir()
    for name, delay in (("a", 0), ("b", 1000)):
        response = np.zeros(2000)
        response[delay] = 0.7
        soundfile.write(tmp_path / "amps" / f"{name}.wav", response, SAMPLE_RATE_HZ)
    yield
    effects._cabinets.cache_clear()


def list_effects(stem, seed, *, varied):
    """Names of the effects of a chord whose chain distorts."""
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (110.0, 165.0)).astype(np.float32) / 4
    return effects.add_effects(chord, stem, Random(seed), 1.0, varied=varied)[1]


@pytest.mark.usefixtures("cabinets")
def test_only_guitars_of_training_songs_have_amplifiers():
    share = sum("amplifier" in list_effects("guitar", seed, varied=True) for seed in range(40)) / 40
    assert 0.5 < share < 0.9
    for stem, varied in (("guitar", False), ("bass", True)):
        names = [list_effects(stem, seed, varied=varied) for seed in range(20)]
        assert all("amplifier" not in found for found in names)
        assert all("drive" in found for found in names)


@pytest.mark.usefixtures("cabinets")
def test_an_amplifier_clips_and_ends_in_a_loudspeaker():
    audio = np.sin(np.arange(4 * SAMPLE_RATE_HZ) / 10).astype(np.float32) / 4
    starts = set()
    for seed in range(20):
        amplified = effects._amplified(audio, Random(seed))
        assert amplified.shape == audio.shape
        assert amplified.dtype == np.float32
        assert np.abs(amplified).max() == pytest.approx(0.5)
        starts.add(int(np.flatnonzero(np.abs(amplified) > 1e-3)[0]) // 500)
        spectrum = np.abs(np.fft.rfft(amplified[SAMPLE_RATE_HZ:] * np.hanning(3 * SAMPLE_RATE_HZ)))
        first = round(SAMPLE_RATE_HZ / (20 * np.pi) * 3)
        # Clipping makes a third harmonic of a sine.
        third = spectrum[3 * first - 5 : 3 * first + 6].max()
        assert third > 0.05 * spectrum[first - 5 : first + 6].max()
    assert starts == {0, 2}


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    effects._cabinets.cache_clear()
    monkeypatch.setattr(effects, "CABINETS", tmp_path)
    with pytest.raises(FileNotFoundError, match="guitarix-common"):
        effects._cabinets()


def test_rumble_and_offset_are_taken_away():
    seconds = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * hz * seconds) for hz in (5, 200)]
    clean = effects.without_rumble(0.5 + sum(tones))[2 * SAMPLE_RATE_HZ :]
    levels = 2 * np.abs(np.fft.rfft(clean)) / len(clean)
    # Bins of half a hertz; a second-order high-pass at 24 Hz.
    assert levels[0] < 1e-3
    assert levels[10] == pytest.approx((5 / 24) ** 2, rel=0.05)
    assert levels[400] == pytest.approx(1, rel=0.01)


def test_effects_are_named_in_the_order_in_which_they_are_heard(monkeypatch):
    monkeypatch.setattr(effects, "_SHARES", {"drums": (1.0, 1.0, 0.0, 0.0, 1.0)})
    heard = []
    monkeypatch.setattr(effects, "_in_room", lambda audio, rng: heard.append(audio) or audio)
    impulse = np.zeros(SAMPLE_RATE_HZ, np.float32)
    impulse[1000] = 0.5
    found = [effects.add_effects(impulse, "drums", Random(s), 0.0, varied=False) for s in range(8)]
    rooms = [audio for audio, names in found if names == ["eq", "compressor", "room"]]
    assert 1 < len(rooms) < 8
    assert all(names[:2] == ["eq", "compressor"] for _, names in found)
    # What the room hears has passed the equaliser and the compressor.
    for audio, before in zip(rooms, heard, strict=True):
        np.testing.assert_array_equal(audio, before)
        assert not np.array_equal(before, impulse)
