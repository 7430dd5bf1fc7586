"""Sounds made from nothing but numbers: drum machines, plucked and struck strings, new ones for every song."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from .hydrogen import mix_shots
from .score import SAMPLE_RATE_HZ, Part, without_overlaps


def _filtered(audio: np.ndarray, kind: str, edge: float | tuple[float, float]) -> np.ndarray:
    return np.asarray(sosfilt(butter(2, edge, kind, fs=SAMPLE_RATE_HZ, output="sos"), audio))


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
        self.sounds = {drum: self._peak(self._sound(drum)) for drum in (
            36, 37, 38, 39, 42, 44, 46, 49, 51, 53, 50, 47, 43, 54, 56, 70, 64, 61, 75)}  # fmt: skip

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
        noise = _filtered(self.noise.standard_normal(len(time)), "bandpass", (low_hz, high_hz))
        return np.asarray(noise * np.exp(-time / decay_seconds))

    def _metal(self, low_hz: float, decay_seconds: float) -> np.ndarray:
        time = self._time(6 * decay_seconds)
        cluster = sum(np.sign(np.sin(2 * np.pi * hz * time)) for hz in self.metal_hz)
        noise = self.noise.standard_normal(len(time)) * 1.5
        mixed = self.metal_share * cluster + (1 - self.metal_share) * noise
        return _filtered(np.asarray(mixed), "highpass", low_hz) * np.exp(-time / decay_seconds)

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
        seconds, edge = {42: (0.03, 6000), 44: (0.025, 5000), 46: (0.22, 5500), 49: (0.6, 3000), 51: (0.35, 4500),
                         53: (0.3, 3500), 54: (0.06, 6500), 70: (0.025, 5500)}[drum]  # fmt: skip
        return self._metal(edge * uniform(0.7, 1.3), seconds * uniform(0.6, 1.6))


def render_machine(part: Part, duration_seconds: float, rng: Random) -> np.ndarray:
    """Play a drum part on a drum machine whose settings are drawn from `rng`: [T] float32."""
    return mix_shots(part, duration_seconds, DrumMachine(rng).shot, rng)


def render_plucked(
    part: Part, duration_seconds: float, tune_cents: float, rng: Random
) -> np.ndarray:
    """Play a part on plucked strings (Karplus-Strong) on a body, whose settings are drawn from `rng`.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono
    """
    settings = (
        rng.uniform(0.08, 0.45),
        rng.uniform(1.5, 5.0),
        rng.uniform(0.06, 0.35),
        rng.uniform(0.3, 0.95),
    )
    release = rng.uniform(0.03, 0.12)

    def pluck(hz: float, force: float) -> np.ndarray:
        return _string(hz, force, settings, rng.getrandbits(32))

    return _on_a_body(play_sounds(part, duration_seconds, tune_cents, pluck, release), rng)


def render_struck(
    part: Part, duration_seconds: float, tune_cents: float, rng: Random
) -> np.ndarray:
    """Play a part on struck strings, as a piano has, on a body; the settings are drawn from `rng`.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono
    """
    release = rng.uniform(0.03, 0.12)
    held, strings = sustained(part, duration_seconds), StruckStrings(rng)
    audio = play_sounds(held, duration_seconds, tune_cents, strings.sound, release)
    return _on_a_body(audio, rng)


class StruckStrings:
    """Strings that a hammer strikes: stiff, two to a note and slightly apart, dying away in two stages."""

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
        self.knock, self.knock_hz = 10.0 ** rng.uniform(-2.0, -0.8), rng.uniform(300.0, 2000.0)
        self.attack_seconds = rng.uniform(0.0005, 0.004)

    def sound(self, hz: float, force: float) -> np.ndarray:
        """A note of a frequency, struck with a force from 0 to 1: [N], N for up to 6 s."""
        partials = np.arange(1, self.MOST_PARTIALS + 1)
        stiffness = self.stiffness * (hz / 262.0) ** 1.3
        frequencies = hz * partials * np.sqrt((1 + stiffness * partials**2) / (1 + stiffness))
        partials, frequencies = (
            values[frequencies < 0.46 * SAMPLE_RATE_HZ] for values in (partials, frequencies)
        )
        soft_hz = self.hardness_hz * (0.4 + 2.0 * force)
        amplitudes = (
            np.sin(np.pi * self.place * partials)
            * partials**-self.slope
            / (1 + (frequencies / soft_hz) ** 2)
        )
        amplitudes = amplitudes * 10.0 ** (self.noise.normal(0.0, 3.0, len(partials)) / 20.0)
        seconds = self.decay_seconds * (262.0 / hz) ** 0.6 / (1 + frequencies / self.dull_hz)
        stages = ((1 - self.lasting, 0.3), (self.lasting, 1.5))
        strings = (1.0, 2.0 ** (self.apart_cents / 1200.0))
        parts = [
            (frequencies * c, share * amplitudes, factor * seconds)
            for share, factor in stages
            for c in strings
        ]
        sound = _damped(
            *map(np.concatenate, zip(*parts, strict=True)),
            round(self.LONGEST_SECONDS * SAMPLE_RATE_HZ),
        )
        time = np.arange(len(sound)) / SAMPLE_RATE_HZ
        knock = _filtered(self.noise.standard_normal(2048), "lowpass", self.knock_hz) * np.exp(
            -60.0 * time[:2048]
        )
        sound[:2048] += knock * self.knock * np.abs(sound).max() / np.abs(knock).max()
        sound *= np.minimum(1.0, time / self.attack_seconds) * np.minimum(
            1.0, 2.0 * (self.LONGEST_SECONDS - time)
        )
        return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def _damped(hz: np.ndarray, amplitudes: np.ndarray, seconds: np.ndarray, length: int) -> np.ndarray:
    """The sum of sines that die away: one product of matrices, of blocks by samples of a block."""
    block = 256
    poles = -1 / (seconds * SAMPLE_RATE_HZ) + 2j * np.pi * hz / SAMPLE_RATE_HZ
    starts = np.exp(np.outer(np.arange(0, length, block), poles)) * amplitudes
    return np.asarray(
        (starts @ np.exp(np.outer(poles, np.arange(block)))).imag.reshape(-1)[:length]
    )


def _on_a_body(audio: np.ndarray, rng: Random) -> np.ndarray:
    """The audio through a wooden body: a random set of resonances beside the direct sound."""
    length = int(0.12 * SAMPLE_RATE_HZ)
    numbers = np.random.default_rng(rng.getrandbits(32))
    hz = 10.0 ** numbers.uniform(1.9, 3.7, 24)
    seconds = 10.0 ** numbers.uniform(-2.2, -1.4, 24) * (hz / 200.0) ** -0.5
    gains = numbers.choice((-1, 1), 24) * 10.0 ** (numbers.uniform(-15.0, 3.0, 24) / 20.0)
    response = _damped(hz, 2 * gains / (seconds * SAMPLE_RATE_HZ), seconds, length)
    response[0] += 1.0
    return np.asarray(fftconvolve(audio, response)[: len(audio)], dtype=np.float32)


def sustained(part: Part, duration_seconds: float) -> Part:
    """The part with its notes held while the pedal is down, until their pitch is struck again."""
    notes = []
    for note in part.notes:
        end = note.start_seconds + note.duration_seconds
        before = [pedal for pedal in part.pedals if pedal[0] <= end]
        if before and before[-1][1]:
            end = next(
                (seconds for seconds, down in part.pedals if seconds > end and not down),
                duration_seconds,
            )
        notes.append(replace(note, duration_seconds=end - note.start_seconds))
    return replace(part, notes=without_overlaps(notes))


def play_sounds(
    part: Part,
    duration_seconds: float,
    tune_cents: float,
    sound_of: Callable[[float, float], np.ndarray],
    release_seconds: float,
) -> np.ndarray:
    """A part in the sounds of its notes, which `sound_of` makes of a frequency in hertz and a force from 0 to 1."""
    length = round(duration_seconds * SAMPLE_RATE_HZ)
    audio = np.zeros(length + SAMPLE_RATE_HZ, dtype=np.float32)
    sounds: dict[tuple[int, int], np.ndarray] = {}
    for note in part.notes:
        key = (note.pitch, note.velocity // 24)
        if key not in sounds:
            sounds[key] = sound_of(
                440.0 * 2.0 ** ((note.pitch - 69 + tune_cents / 100.0) / 12.0), key[1] / 5.0
            )
        start = round(note.start_seconds * SAMPLE_RATE_HZ)
        held = min(round(note.duration_seconds * SAMPLE_RATE_HZ), len(sounds[key]))
        sound = sounds[key][: held + round(release_seconds * 5 * SAMPLE_RATE_HZ)].copy()
        sound[held:] *= np.exp(-np.arange(len(sound) - held) / (release_seconds * SAMPLE_RATE_HZ))
        count = max(0, min(len(sound), len(audio) - start))
        audio[start : start + count] += sound[:count] * (note.velocity / 127.0) ** 1.5
    return audio[:length]


def _string(
    hz: float, force: float, settings: tuple[float, float, float, float], seed: int
) -> np.ndarray:
    """A string that rings for up to 4 s: a loop of one period with a low-pass and a fractional delay.

    `settings`: damping (0 to 0.5), decay in seconds, place of the pluck, brightness of the pluck. The loop's delay is
    N + damping + fraction samples, its filter has three taps; whole periods are computed at once.
    """
    damping, decay_seconds, place, brightness = settings
    period = SAMPLE_RATE_HZ / hz
    whole = int(period - damping)
    fraction = period - damping - whole
    gain = 0.001 ** (period / SAMPLE_RATE_HZ / decay_seconds)
    taps = gain * np.convolve([1 - damping, damping], [1 - fraction, fraction])
    noise = np.random.default_rng(seed).standard_normal(whole)
    pole = 1.0 - brightness * (0.4 + 0.6 * force)
    pluck = lfilter([1 - pole], [1, -pole], noise)
    pluck = pluck - np.roll(pluck, max(1, int(place * whole)))
    pluck -= pluck.mean()
    total = int(4.0 * SAMPLE_RATE_HZ)
    string = np.zeros(total + 2 * whole)
    string[2 : 2 + whole] = pluck / (np.abs(pluck).max() + 1e-9)
    block = whole - 2
    first = 2 + whole
    while first < total:
        count = min(block, total - first)
        at = first - whole
        string[first : first + count] = (
            taps[0] * string[at : at + count] + taps[1] * string[at - 1 : at - 1 + count]
            + taps[2] * string[at - 2 : at - 2 + count]
        )  # fmt: skip
        first += count
    return string[2:total].astype(np.float32)
