"""Sums of sines that die away, and the wooden body that such a sum makes."""

from random import Random

import numpy as np
from scipy.signal import fftconvolve

from scripts.dataset.score import SAMPLE_RATE_HZ


def damped(hz: np.ndarray, amplitudes: np.ndarray, seconds: np.ndarray, length: int) -> np.ndarray:
    """The sum of sines that die away: one product of matrices, of blocks by samples of a block."""
    block = 256
    poles = -1 / (seconds * SAMPLE_RATE_HZ) + 2j * np.pi * hz / SAMPLE_RATE_HZ
    starts = np.exp(np.outer(np.arange(0, length, block), poles)) * amplitudes
    return np.asarray(
        (starts @ np.exp(np.outer(poles, np.arange(block)))).imag.reshape(-1)[:length]
    )


def on_a_body(audio: np.ndarray, rng: Random) -> np.ndarray:
    """The audio through a wooden body: a random set of resonances beside the direct sound."""
    length = int(0.12 * SAMPLE_RATE_HZ)
    numbers = np.random.default_rng(rng.getrandbits(32))
    hz = 10.0 ** numbers.uniform(1.9, 3.7, 24)
    seconds = 10.0 ** numbers.uniform(-2.2, -1.4, 24) * (hz / 200.0) ** -0.5
    gains = numbers.choice((-1, 1), 24) * 10.0 ** (numbers.uniform(-15.0, 3.0, 24) / 20.0)
    response = damped(hz, 2 * gains / (seconds * SAMPLE_RATE_HZ), seconds, length)
    response[0] += 1.0
    return np.asarray(fftconvolve(audio, response)[: len(audio)], dtype=np.float32)
