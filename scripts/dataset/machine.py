"""A drum machine: every song has a new one, made of nothing but numbers."""

from random import Random

import numpy as np

from scripts.dataset.filters import filtered
from scripts.dataset.hydrogen import mix_shots
from scripts.dataset.score import SAMPLE_RATE_HZ, Part


class DrumMachine:
    """A drum machine with random settings: swept sines, filtered noise, clusters of squares."""

    def __init__(self, rng: Random) -> None:
        """Draw the settings and make all sounds."""
        self.rng = rng
        self.noise = np.random.default_rng(rng.getrandbits(32))
        self.metal_hz = [
            rng.uniform(300, 900) * ratio for ratio in (1.0, 1.34, 1.61, 1.93, 2.47, 2.95)
        ]
        self.metal_share = rng.uniform(0.0, 0.9)
        self.sounds = {
            drum: self._peak(self._sound(drum))
            for drum in (36, 37, 38, 39, 42, 44, 46, 49, 51, 53, 50, 47, 43, 54, 56, 70, 64, 61, 75)
        }

    def shot(self, drum: int, velocity: int) -> np.ndarray | None:
        """The sound of a General MIDI drum at a velocity: [N], or None."""
        sound = self.sounds.get(drum)
        return None if sound is None else sound * (0.08 + 0.92 * (velocity / 127.0) ** 1.7)

    def _peak(self, sound: np.ndarray) -> np.ndarray:
        return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)

    def _time(self, seconds: float) -> np.ndarray:
        return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ

    def _tone(
        self, hz: float, sweep: float, sweep_seconds: float, decay_seconds: float
    ) -> np.ndarray:
        """A sine that falls from `sweep` times its frequency and dies away."""
        time = self._time(6 * decay_seconds)
        phase = (
            2
            * np.pi
            * np.cumsum(hz * (1 + (sweep - 1) * np.exp(-time / sweep_seconds)))
            / SAMPLE_RATE_HZ
        )
        return np.asarray(
            np.sin(phase) * np.exp(-time / decay_seconds) * np.minimum(1.0, time / 0.0008)
        )

    def _hiss(self, low_hz: float, high_hz: float, decay_seconds: float) -> np.ndarray:
        time = self._time(6 * decay_seconds)
        noise = filtered(self.noise.standard_normal(len(time)), "bandpass", (low_hz, high_hz))
        return np.asarray(noise * np.exp(-time / decay_seconds))

    def _metal(self, low_hz: float, decay_seconds: float) -> np.ndarray:
        time = self._time(6 * decay_seconds)
        cluster = sum(np.sign(np.sin(2 * np.pi * hz * time)) for hz in self.metal_hz)
        noise = self.noise.standard_normal(len(time)) * 1.5
        mixed = self.metal_share * cluster + (1 - self.metal_share) * noise
        return filtered(np.asarray(mixed), "highpass", low_hz) * np.exp(-time / decay_seconds)

    def _sum(self, *sounds: np.ndarray) -> np.ndarray:
        total = np.zeros(max(len(sound) for sound in sounds))
        for sound in sounds:
            total[: len(sound)] += sound
        return total

    def _sound(self, drum: int) -> np.ndarray:
        uniform = self.rng.uniform
        if drum == 36:
            body = self._tone(
                uniform(42, 72), uniform(2, 7), uniform(0.01, 0.05), uniform(0.07, 0.35)
            )
            click = uniform(0, 0.4) * self._hiss(800, uniform(3000, 9000), 0.004)
            return np.tanh(uniform(0.5, 3.0) * self._sum(body, click))
        if drum == 38:
            body = self._tone(uniform(140, 260), uniform(1.2, 2.2), 0.02, uniform(0.04, 0.12))
            rattle = self._hiss(uniform(500, 2500), uniform(6000, 10500), uniform(0.05, 0.18))
            return self._sum(body * uniform(0.3, 1.0), rattle * uniform(0.7, 1.6))
        if drum in (50, 47, 43):
            base = {50: 190, 47: 135, 43: 92}[drum] * uniform(0.85, 1.15)
            skin = self._tone(base, uniform(1.3, 2.5), 0.05, uniform(0.1, 0.3))
            return self._sum(skin, 0.1 * self._hiss(200, 4000, 0.05))
        if drum == 39:
            burst = self._hiss(uniform(700, 1100), uniform(2200, 5000), uniform(0.05, 0.12))
            gaps = [
                np.concatenate([np.zeros(round(k * 0.011 * SAMPLE_RATE_HZ)), burst])
                for k in range(3)
            ]
            return self._sum(*gaps)
        if drum in (37, 56, 64, 61, 75):
            hz = {37: 900, 56: 560, 64: 180, 61: 300, 75: 2300}[drum] * uniform(0.85, 1.2)
            low = self._tone(hz, 1.1, 0.01, uniform(0.015, 0.08))
            return self._sum(low, 0.6 * self._tone(hz * 1.48, 1.0, 0.01, 0.03))
        seconds, edge = {
            42: (0.03, 6000),
            44: (0.025, 5000),
            46: (0.22, 5500),
            49: (0.6, 3000),
            51: (0.35, 4500),
            53: (0.3, 3500),
            54: (0.06, 6500),
            70: (0.025, 5500),
        }[drum]
        return self._metal(edge * uniform(0.7, 1.3), seconds * uniform(0.6, 1.6))


def render_machine(part: Part, duration_seconds: float, rng: Random) -> np.ndarray:
    """Play a drum part on a drum machine whose settings are drawn from `rng`: [T] float32."""
    return mix_shots(part, duration_seconds, DrumMachine(rng).shot, rng)
