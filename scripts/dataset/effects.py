"""Random chains of effects, one a stem, on mono audio at 22 050 Hz."""

from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import resampy
import soundfile
from pedalboard import (
    Chorus,
    Compressor,
    Delay,
    HighShelfFilter,
    LowpassFilter,
    LowShelfFilter,
    PeakFilter,
    Pedalboard,
    Phaser,
    Plugin,
    Reverb,
)
from scipy.fft import next_fast_len
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from scripts.dataset.score import SAMPLE_RATE_HZ

CABINETS = Path("/usr/share/gx_head/sounds")  # of Debian's guitarix-common
TILTED = 0.5
"""How often the brightness of a guitar or piano of a training song is another one.

Else guitars would be the brighter ones, and brightness would tell who is who.
"""

TILT_DB = 9.0
"""By how much high notes rise against low ones at most, or fall."""

TILT_HZ = (150.0, 4000.0)
"""Between which frequencies they do so."""

TILT_CENTRE_HZ = 700.0

AMPLIFIED_PIANOS = 1 / 3
"""How often a piano of a training song plays through an amplifier."""

GAINS = {"guitar": (3.0, 120.0), "piano": (0.5, 3.0)}
"""Lowest and highest gain of amplifiers: pianos are hardly distorted."""

# stem -> probability of equaliser, compressor, modulation, echo, room; guitars and pianos have the
# same, else an effect would tell who is who.
_SHARES = {
    "bass": (0.7, 0.6, 0.12, 0.0, 0.15),
    "drums": (0.75, 0.55, 0.03, 0.03, 0.6),
    "guitar": (0.75, 0.4, 0.2, 0.12, 0.6),
    "piano": (0.75, 0.4, 0.2, 0.12, 0.6),
}


def add_effects(
    audio: np.ndarray, stem: str, rng: Random, drive: float, *, varied: bool
) -> tuple[np.ndarray, list[str]]:
    """Send a stem through a random chain of effects.

    Args:
        audio: The stem, with a peak near 0.5, ``[T]``.
        stem: Its name.
        rng: Decides everything.
        drive: Chance of a distortion.
        varied: Whether guitars and pianos may have amplifiers and another brightness.

    Returns:
        The stem, ``[T]``, and the names of the effects in order.
    """
    equaliser, compressor, modulation, echo, room = _SHARES[stem]
    audio, names = _drive(audio, stem, rng, drive, varied=varied)
    plugins: list[Plugin] = []
    if rng.random() < equaliser:
        plugins += _equaliser(rng)
        names.append("eq")
    for share, make in ((compressor, _compressor), (modulation, _modulation), (echo, _delay)):
        if rng.random() < share:
            plugins.append(make(rng))
            names.append(type(plugins[-1]).__name__.lower())
    inside = rng.random() < room
    artificial = rng.random() < 0.5
    if inside and artificial:
        plugins.append(_reverb(rng))
        names.append("reverb")
    if plugins:
        audio = Pedalboard(plugins)(audio, SAMPLE_RATE_HZ)
    if inside and not artificial:
        audio = _in_room(audio, rng)
        names.append("room")
    if varied and stem in GAINS and rng.random() < TILTED:
        audio = _tilted(audio, rng.uniform(-TILT_DB, TILT_DB))
        names.append("tilt")
    return np.asarray(audio, dtype=np.float32), names


def _drive(
    audio: np.ndarray, stem: str, rng: Random, drive: float, *, varied: bool
) -> tuple[np.ndarray, list[str]]:
    """The stem and the name of its distortion, if it has one."""
    if varied and stem == "piano" and rng.random() < AMPLIFIED_PIANOS:
        return _amplified(audio, rng, *GAINS["piano"]), ["amplifier"]
    if rng.random() >= drive:
        return audio, []
    amplified = varied and stem == "guitar" and rng.random() < 0.7
    audio = _amplified(audio, rng, *GAINS[stem]) if amplified else _distorted(audio, stem, rng)
    return audio, ["amplifier" if amplified else "drive"]


def without_rumble(audio: np.ndarray) -> np.ndarray:
    """The audio without what lies below 24 Hz, and so without a constant offset."""
    return np.asarray(
        sosfilt(butter(2, 24.0, "highpass", fs=SAMPLE_RATE_HZ, output="sos"), audio),
        dtype=np.float32,
    )


def _delay(rng: Random) -> Plugin:
    return Delay(rng.uniform(0.12, 0.5), rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.3))


@cache
def _cabinets() -> tuple[np.ndarray, ...]:
    """Impulse responses of amplifiers and guitars with their loudspeakers, ``[N]`` each."""
    read = (soundfile.read(path) for path in sorted(CABINETS.glob("*s/*.wav")))
    found = tuple(resampy.resample(response, rate, SAMPLE_RATE_HZ) for response, rate in read)
    if not found:
        raise FileNotFoundError(
            f"no impulse responses under {CABINETS}: is Debian's guitarix-common there?"
        )
    return found


def _amplified(audio: np.ndarray, rng: Random, lowest: float, highest: float) -> np.ndarray:
    """Clipping without much of the low end, so that chords stay clear, and a loudspeaker."""
    tight = butter(1, rng.uniform(60, 700), "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    tightened = sosfilt(tight, audio)
    tightened *= 0.5 / (np.abs(tightened).max() + 1e-9)
    driven = _clipped(tightened, lowest * (highest / lowest) ** rng.random(), rng.uniform(0.0, 0.2))
    response = rng.choice(_cabinets())
    driven = fftconvolve(driven, response)[: len(audio)]
    return np.asarray(0.5 * driven / (np.abs(driven).max() + 1e-9), dtype=np.float32)


def _clipped(audio: np.ndarray, gain: float, bias: float) -> np.ndarray:
    """Soft clipping at twice the sample rate."""
    wide = np.tanh(gain * resample_poly(audio, 2, 1) + bias) - np.tanh(bias)
    return np.asarray(resample_poly(wide, 1, 2)[: len(audio)])


def _distorted(audio: np.ndarray, stem: str, rng: Random) -> np.ndarray:
    """Soft clipping; guitars and basses then pass a loudspeaker's low-pass."""
    strong = {"guitar": (3.0, 40.0), "bass": (1.5, 12.0), "drums": (1.0, 3.5), "piano": (1.0, 2.5)}[
        stem
    ]
    gain = strong[0] * (strong[1] / strong[0]) ** rng.random()
    driven = _clipped(audio, gain, rng.uniform(0.0, 0.2))
    if stem in ("guitar", "bass"):
        low = butter(1, rng.uniform(60, 130), "highpass", fs=SAMPLE_RATE_HZ, output="sos")
        high = butter(3, rng.uniform(3200, 6500), "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
        cabinet = sosfilt(high, sosfilt(low, driven) if stem == "guitar" else driven)
        share = 1.0 if stem == "guitar" else rng.uniform(0.3, 0.9)
        driven = share * cabinet + (1 - share) * audio
    return np.asarray(0.5 * driven / (np.abs(driven).max() + 1e-9), dtype=np.float32)


def _tilted(audio: np.ndarray, rise_db: float) -> np.ndarray:
    """The audio with a level that rises from low to high notes, or falls, in dB an octave."""
    size = next_fast_len(len(audio) + SAMPLE_RATE_HZ, real=True)
    hz = np.clip(np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ), *TILT_HZ)
    rise = np.log2(hz / TILT_CENTRE_HZ) / np.log2(TILT_HZ[1] / TILT_HZ[0])
    spectrum = np.fft.rfft(audio, size) * 10.0 ** (rise_db * rise / 20.0)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(audio)], dtype=np.float32)


def _equaliser(rng: Random) -> list[Plugin]:
    plugins: list[Plugin] = [
        LowShelfFilter(rng.uniform(80, 350), rng.uniform(-6, 5), 0.7),
        HighShelfFilter(rng.uniform(1500, 6000), rng.uniform(-9, 6), 0.7),
    ]
    for _ in range(rng.choice((0, 1, 2, 3))):
        hz = 100.0 * 60.0 ** rng.random()
        plugins.append(PeakFilter(hz, rng.uniform(-7, 6), rng.uniform(0.5, 2.5)))
    if rng.random() < 0.12:
        plugins.append(LowpassFilter(rng.uniform(3000, 9000)))
    return plugins


def _compressor(rng: Random) -> Plugin:
    return Compressor(
        rng.uniform(-32, -14), rng.uniform(1.5, 6), rng.uniform(1, 30), rng.uniform(50, 300)
    )


def _modulation(rng: Random) -> Plugin:
    rate_hz = rng.uniform(0.15, 2.5)
    if rng.random() < 0.6:
        return Chorus(
            rate_hz, rng.uniform(0.05, 0.3), rng.uniform(5, 10), 0.0, rng.uniform(0.15, 0.5)
        )
    depth = rng.uniform(0.2, 0.8)
    centre_hz = rng.uniform(600, 2000)
    return Phaser(rate_hz, depth, centre_hz, rng.uniform(0, 0.4), rng.uniform(0.2, 0.5))


def _reverb(rng: Random) -> Plugin:
    wet = rng.choice((0.06, 0.1, 0.16, 0.25)) * rng.uniform(0.7, 1.2)
    return Reverb(rng.uniform(0.1, 0.8), rng.uniform(0.2, 0.9), wet, 1.0 - 0.5 * wet, 0.0)


def _in_room(audio: np.ndarray, rng: Random) -> np.ndarray:
    """The audio in a random room: reflections, then noise that dies away, high notes first."""
    decay_seconds = rng.uniform(0.08, 0.7)
    length = int(1.2 * decay_seconds * SAMPLE_RATE_HZ)
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(length)
    time = np.arange(length) / SAMPLE_RATE_HZ
    tail = noise * np.exp(-6.9 * time / decay_seconds)
    dull = sosfilt(
        butter(1, rng.uniform(1500, 6000), "lowpass", fs=SAMPLE_RATE_HZ, output="sos"), tail
    )
    tail = sosfilt(butter(1, 150, "highpass", fs=SAMPLE_RATE_HZ, output="sos"), dull)
    tail[: int(rng.uniform(0.002, 0.02) * SAMPLE_RATE_HZ)] = 0.0
    for _ in range(6):
        tail[int(rng.uniform(0.004, 0.06) * SAMPLE_RATE_HZ) % length] += rng.uniform(-1.5, 1.5)
    tail *= 10.0 ** (rng.uniform(-18, -5) / 20.0) / np.sqrt(np.sum(tail**2))
    return np.asarray(audio + fftconvolve(audio, tail)[: len(audio)], dtype=np.float32)
