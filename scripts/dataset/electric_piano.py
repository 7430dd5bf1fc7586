"""Electric pianos by frequency modulation: every song has a new one, made of numbers alone."""

from random import Random

import numpy as np

from scripts.dataset.playing import play_sounds, sustained
from scripts.dataset.score import SAMPLE_RATE_HZ, Part

RATIOS = (3.0, 5.0, 7.0, 9.0, 11.0, 14.0, 14.0)
"""Frequencies of what modulates the tine, relative to the note."""

HIGHEST_HZ = 0.4 * SAMPLE_RATE_HZ
ATTACK_SECONDS = 0.002


def render_fm(part: Part, duration_seconds: float, tune_cents: float, rng: Random) -> np.ndarray:
    """Play a part on an electric piano; the settings are drawn from `rng`.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono
    """
    keys = FmKeys(rng)
    held = sustained(part, duration_seconds)
    return play_sounds(held, duration_seconds, tune_cents, keys.sound, rng.uniform(0.03, 0.15))


class FmKeys:
    """Two pairs of sines, one modulating the other: the body of a note, and its struck tine.

    Source:
        Chowning 1973, "The synthesis of complex audio spectra by means of frequency modulation".
    """

    LONGEST_SECONDS = 6.0

    def __init__(self, rng: Random) -> None:
        """Draw the settings."""
        self.body_index = rng.uniform(0.3, 2.5)
        self.tine_index = rng.uniform(0.2, 1.5)
        self.tine_ratio = rng.choice(RATIOS)
        self.tine_share = rng.uniform(0.05, 0.5)
        self.decay_seconds = rng.uniform(0.8, 4.0)
        self.tine_seconds = rng.uniform(0.03, 0.5)
        self.dull_seconds = rng.uniform(0.2, 2.0)
        self.apart_cents = rng.uniform(0.0, 8.0)

    def sound(self, hz: float, force: float) -> np.ndarray:
        """A note of a frequency, struck with a force from 0 to 1: [N] for 6 s with a peak of 1."""
        time = np.arange(round(self.LONGEST_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        brightness = 0.25 + 1.5 * force
        # The pairs are slightly apart, so that they beat.
        higher = hz * 2.0 ** (self.apart_cents / 1200.0)
        body_index = brightness * self.body_index * np.exp(-time / self.dull_seconds)
        body = _modulated(time, hz, higher, body_index)
        # High notes would modulate their tine above half the sample rate.
        ratio = self.tine_ratio if hz * self.tine_ratio < HIGHEST_HZ else 1.0
        tine_index = brightness * self.tine_index * np.exp(-time / self.tine_seconds)
        tine = _modulated(time, higher, ratio * hz, tine_index)
        sound = (1 - self.tine_share) * body + self.tine_share * tine
        # High notes die away sooner.
        sound *= np.exp(-time / self.decay_seconds * (hz / 262.0) ** 0.4)
        sound *= np.minimum(1.0, time / ATTACK_SECONDS)
        sound *= np.minimum(1.0, 2.0 * (self.LONGEST_SECONDS - time))
        return np.asarray(sound / (np.abs(sound).max() + 1e-9), dtype=np.float32)


def _modulated(time: np.ndarray, hz: float, modulator_hz: float, index: np.ndarray) -> np.ndarray:
    """A sine whose phase another sine moves by ``index`` radians, ``[N], [N] -> [N]``."""
    return np.asarray(
        np.sin(2 * np.pi * hz * time + index * np.sin(2 * np.pi * modulator_hz * time))
    )
