"""Plucked strings (Karplus-Strong): every song has new ones, made of nothing but numbers."""

from random import Random

import numpy as np
from scipy.signal import lfilter

from scripts.dataset.body import on_a_body
from scripts.dataset.playing import play_sounds, sustained
from scripts.dataset.score import SAMPLE_RATE_HZ, Part


def render_plucked(
    part: Part, duration_seconds: float, tune_cents: float, rng: Random
) -> np.ndarray:
    """Play a part on plucked strings on a body, whose settings are drawn from `rng`.

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

    held = sustained(part, duration_seconds)
    return on_a_body(play_sounds(held, duration_seconds, tune_cents, pluck, release), rng)


def _string(
    hz: float, force: float, settings: tuple[float, float, float, float], seed: int
) -> np.ndarray:
    """A string that rings for up to 4 s: a loop of one period with a low-pass, ``[N]``.

    Args:
        hz: Frequency.
        force: Of the pluck, from 0 to 1.
        settings: Damping (0 to 0.5), decay in seconds, place and brightness of the pluck.
        seed: Of the noise that is plucked.

    Source: Karplus and Strong 1983; the fractional delay is that of Jaffe and Smith 1983.
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
