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


def list_effects(stem, seed, drive, *, varied):
    """Names of the effects of a chord."""
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (110.0, 165.0)).astype(np.float32) / 4
    return effects.add_effects(chord, stem, Random(seed), drive, varied=varied)[1]


def count_amplifiers(stem, drive, *, varied):
    names = [list_effects(stem, seed, drive, varied=varied) for seed in range(40)]
    return sum("amplifier" in found for found in names) / 40


@pytest.mark.usefixtures("cabinets")
def test_guitars_and_pianos_of_training_songs_have_amplifiers():
    assert 0.5 < count_amplifiers("guitar", 1.0, varied=True) < 0.9
    assert 0.15 < count_amplifiers("piano", 0.0, varied=True) < 0.5
    for stem, varied in (("guitar", False), ("piano", False), ("bass", True)):
        assert count_amplifiers(stem, 1.0, varied=varied) == 0
        assert "drive" in list_effects(stem, 0, 1.0, varied=varied)


@pytest.mark.usefixtures("cabinets")
def test_half_of_the_guitars_and_pianos_of_training_songs_are_tilted():
    for stem, varied, (low, high) in (
        ("guitar", True, (0.25, 0.75)),
        ("piano", True, (0.25, 0.75)),
        ("piano", False, (0, 0)),
        ("bass", True, (0, 0)),
    ):
        names = [list_effects(stem, seed, 0.0, varied=varied) for seed in range(40)]
        assert low <= sum("tilt" in found for found in names) / 40 <= high


@pytest.mark.parametrize("rise_db", [-9.0, 0.0, 6.0])
def test_a_tilt_is_as_steep_as_it_says(rise_db):
    impulse = np.zeros(SAMPLE_RATE_HZ, np.float32)
    impulse[10000] = 1
    # Bins of a hertz.
    levels = 20 * np.log10(np.abs(np.fft.rfft(effects._tilted(impulse, rise_db))))
    assert levels[4000] - levels[150] == pytest.approx(rise_db, abs=0.1)
    assert levels[700] == pytest.approx(0, abs=0.1)
    assert levels[9000] == pytest.approx(levels[4000], abs=0.1)
    assert levels[60] == pytest.approx(levels[150], abs=0.1)


@pytest.mark.usefixtures("cabinets")
def test_an_amplifier_clips_and_ends_in_a_loudspeaker():
    audio = np.sin(np.arange(4 * SAMPLE_RATE_HZ) / 10).astype(np.float32) / 4
    starts = set()
    for seed in range(20):
        amplified = effects._amplified(audio, Random(seed), 3.0, 120.0)
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
