"""Measures the pitch of samples, and tunes zones by it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scripts.dataset.zones import Zone

NEAR_CENTS = 60.0
FAR_SEMITONES = 7

CLEAR = 0.8
"""Likeness of a sample and itself a period later, from which its pitch is believed."""

CLEARER = 0.1
"""By how much another note must be clearer for a sample to sound that note."""

OUT_OF_TUNE_CENTS = 25.0
"""From which a sample is corrected: partials of stiff strings are sharp, and make it seem so."""

ATTACK_SECONDS = 0.06
"""The beginning of a sample, which has no clear pitch yet."""

MULTIPLES = (1, 2, 4)
"""Periods whose length tells a pitch: the more, the finer."""

OTHER_RATE_SEMITONES = 12 * float(np.log2(44100 / 48000))
"""How far a sample is out of tune that was taken at 48 kHz and is stated to be of 44.1 kHz."""


@dataclass(frozen=True)
class Pitch:
    """A measured pitch.

    Attributes:
        cents: How far it is from the stated pitch. What sounds an octave higher repeats after that
            period, too.
        clarity: How well the sample repeats at that period, from 0 to 1.
        rival: How well it repeats at the best period of another semitone.
    """

    cents: float
    clarity: float
    rival: float


@dataclass(frozen=True)
class Peak:
    """A period at which a sample repeats.

    Attributes:
        cents: How far its pitch is from the stated one.
        likeness: How well the sample repeats, from 0 to 1.
    """

    cents: float = 0.0
    likeness: float = 0.0


def measure_pitch(zone: Zone) -> Pitch:
    """How far a sample is from its stated pitch, and how sure that is."""
    likeness = _measure_likeness(zone)
    best = {
        step: _find_pitch(likeness, zone, step) for step in range(1 - FAR_SEMITONES, FAR_SEMITONES)
    }
    rival = max(peak.likeness for step, peak in best.items() if abs(step) > 1)
    return Pitch(best[0].cents, best[0].likeness, rival)


def sounds_lower(zone: Zone) -> bool:
    """Whether a sample repeats after two of its stated periods, and clearly less after one."""
    likeness = _measure_likeness(zone)
    once, twice = (_find_peak(likeness, zone, 0, times).likeness for times in (1, 2))
    return twice > max(once + CLEARER, CLEAR)


def _measure_likeness(zone: Zone) -> np.ndarray:
    """How alike a sample after its attack and itself are, by lag in samples, ``[lags]``."""
    start = min(round(ATTACK_SECONDS * zone.rate), len(zone.audio) // 4)
    count = round(max(0.25, 12 / zone.hz) * zone.rate)
    return _correlate(zone.audio[start : start + count].astype(np.float64))


def _find_pitch(likeness: np.ndarray, zone: Zone, step: int) -> Peak:
    """The pitch near a semitone, ``step`` from what is stated, and the likeness after one period.

    Four periods alone would not do: they may be five of a note that is a third higher.
    """
    peaks = [_find_peak(likeness, zone, step, times) for times in MULTIPLES]
    clearest = max(peaks, key=lambda peak: peak.likeness)
    return replace(clearest, likeness=peaks[0].likeness)


def _correlate(audio: np.ndarray) -> np.ndarray:
    """How alike a signal and itself are, by lag in samples up to half of its length.

    Shape:
        ``[N] -> [N // 2]``, at most 1.
    """
    count = len(audio)
    centred = audio - audio.mean()
    size = 1 << (2 * count).bit_length()
    products = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2)[: count // 2]
    power = np.concatenate([[0.0], np.cumsum(np.square(centred))])
    lags = np.arange(count // 2)
    # Of the two parts that overlap: 2 ab / (a^2 + b^2), which other levels make smaller.
    energy = power[count - lags] + power[count] - power[lags]
    return np.asarray(2 * products / (energy + 1e-12))


def _find_peak(likeness: np.ndarray, zone: Zone, step: int, times: int) -> Peak:
    """So many periods within 60 cents of a semitone, ``step`` from what is stated."""
    period = times * zone.rate / zone.hz
    centre = period * 2.0 ** (-step / 12)
    low = int(np.floor(centre * 2.0 ** (-NEAR_CENTS / 1200)))
    high = int(np.ceil(centre * 2.0 ** (NEAR_CENTS / 1200)))
    if low < 3 or high + 2 > len(likeness):
        return Peak()
    at = low + int(np.argmax(likeness[low : high + 1]))
    before, here, after = likeness[at - 1 : at + 2]
    curve = before - 2 * here + after
    if here < max(before, after) or curve >= 0:
        return Peak()
    # A parabola through three points has its top between samples.
    lag = at + 0.5 * (before - after) / curve
    top = here - (before - after) ** 2 / (8 * curve)
    return Peak(float(-1200 * np.log2(lag / period)), float(top))


def tune(zone: Zone) -> Zone | None:
    """A zone in tune: its root is what was measured if that is clear and far from what is stated.

    None if it clearly sounds another note.
    """
    pitch = measure_pitch(zone)
    if pitch.rival > max(pitch.clarity + CLEARER, CLEAR):
        return None
    if pitch.clarity < CLEAR or abs(pitch.cents) <= OUT_OF_TUNE_CENTS:
        return zone
    return replace(zone, root=zone.root + pitch.cents / 100)


def tune_all(zones: Sequence[Zone]) -> list[Zone]:
    """The zones that ``tune`` keeps; all at another sample rate, if many more are right so."""
    found: list[Zone] = []
    for semitones in (0.0, OTHER_RATE_SEMITONES, -OTHER_RATE_SEMITONES):
        moved = [replace(zone, root=zone.root + semitones) for zone in zones]
        right = [zone for zone in map(tune, moved) if zone]
        if len(right) > len(found) + len(zones) // 3:
            found = right
    return found


def sound_as_written(zones: Sequence[Zone]) -> list[Zone]:
    """The zones with all of their pitches and keys an octave lower, if most of them sound so.

    Some instruments are published so that they sound an octave below the keys that are pressed.
    Those that are also stated at another sample rate are not found, and a bank of power chords
    would be taken for one of them.
    """
    if 2 * sum(map(sounds_lower, zones)) <= len(zones):
        return list(zones)
    return [
        replace(zone, root=zone.root - 12, low=zone.low - 12, high=zone.high - 12) for zone in zones
    ]
