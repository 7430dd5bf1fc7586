"""Struck strings, as a piano has: every song has new ones, made of nothing but numbers."""

from random import Random

import numpy as np

from scripts.dataset.body import damped, on_a_body
from scripts.dataset.filters import filtered
from scripts.dataset.playing import play_sounds, sustained
from scripts.dataset.score import SAMPLE_RATE_HZ, Part

KNOCK_SAMPLES = 2048


def render_struck(
    part: Part, duration_seconds: float, tune_cents: float, rng: Random
) -> np.ndarray:
    """Play a part on struck strings, as a piano has, on a body; the settings are drawn from `rng`.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono
    """
    release = rng.uniform(0.03, 0.12)
    held = sustained(part, duration_seconds)
    strings = StruckStrings(rng)
    audio = play_sounds(held, duration_seconds, tune_cents, strings.sound, release)
    return on_a_body(audio, rng)


class StruckStrings:
    """Strings that a hammer strikes: stiff, two to a note, slightly apart, of two decays each."""

    LONGEST_SECONDS = 6.0
    MOST_PARTIALS = 60

    def __init__(self, rng: Random) -> None:
        """Draw the settings."""
        self.noise = np.random.default_rng(rng.getrandbits(32))
        self.stiffness = 10.0 ** rng.uniform(-4.0, -3.0)
        self.hardness_hz = rng.uniform(400.0, 2500.0)
        self.slope = rng.uniform(0.3, 1.2)
        self.place = rng.uniform(0.07, 0.16)
        self.decay_seconds = rng.uniform(0.7, 3.0)
        self.dull_hz = rng.uniform(600.0, 4000.0)
        self.lasting = rng.uniform(0.1, 0.5)
        self.apart_cents = rng.uniform(0.2, 2.5)
        self.knock = 10.0 ** rng.uniform(-2.0, -0.8)
        self.knock_hz = rng.uniform(300.0, 2000.0)
        self.attack_seconds = rng.uniform(0.0005, 0.004)

    def sound(self, hz: float, force: float) -> np.ndarray:
        """A note of a frequency, struck with a force from 0 to 1: [N], N for up to 6 s."""
        sound = damped(*self._partials(hz, force), round(self.LONGEST_SECONDS * SAMPLE_RATE_HZ))
        time = np.arange(len(sound)) / SAMPLE_RATE_HZ
        # The hammer knocks on the frame.
        noise = self.noise.standard_normal(KNOCK_SAMPLES)
        knock = filtered(noise, "lowpass", self.knock_hz) * np.exp(-60.0 * time[:KNOCK_SAMPLES])
        sound[:KNOCK_SAMPLES] += knock * self.knock * np.abs(sound).max() / np.abs(knock).max()
        attack = np.minimum(1.0, time / self.attack_seconds)
        sound *= attack * np.minimum(1.0, 2.0 * (self.LONGEST_SECONDS - time))
        return np.asarray(sound / (np.abs(sound).max() + 1e-9), dtype=np.float32)

    def _partials(self, hz: float, force: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Frequencies in hertz, amplitudes and decays in seconds of the sines of a note."""
        partials = np.arange(1, self.MOST_PARTIALS + 1)
        # Stiff strings sound sharper, the higher the partial: f_n ~ n sqrt(1 + B n^2).
        stiffness = self.stiffness * (hz / 262.0) ** 1.3
        frequencies = hz * partials * np.sqrt((1 + stiffness * partials**2) / (1 + stiffness))
        audible = frequencies < 0.46 * SAMPLE_RATE_HZ
        partials = partials[audible]
        frequencies = frequencies[audible]
        soft_hz = self.hardness_hz * (0.4 + 2.0 * force)
        hammer = 1 + (frequencies / soft_hz) ** 2
        place = np.sin(np.pi * self.place * partials)
        amplitudes = place * partials**-self.slope / hammer
        amplitudes = amplitudes * 10.0 ** (self.noise.normal(0.0, 3.0, len(partials)) / 20.0)
        seconds = self.decay_seconds * (262.0 / hz) ** 0.6 / (1 + frequencies / self.dull_hz)
        stages = ((1 - self.lasting, 0.3), (self.lasting, 1.5))
        strings = (1.0, 2.0 ** (self.apart_cents / 1200.0))
        pairs = [(stage, ratio) for stage in stages for ratio in strings]
        return (
            np.concatenate([frequencies * ratio for _, ratio in pairs]),
            np.concatenate([share * amplitudes for (share, _), _ in pairs]),
            np.concatenate([factor * seconds for (_, factor), _ in pairs]),
        )
