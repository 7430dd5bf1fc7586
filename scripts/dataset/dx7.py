"""Electric pianos on the engine of the DX7: every song has a voice of its own, drawn at random.

The voices lie around the electric piano of the eighties: three pairs of operators, of which one
strikes the tine and two are the body. The engine is that of Dexed (``dexed-py``, GPL 3).
"""

from importlib.util import find_spec
from random import Random
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from scripts.dataset.playing import play_sounds, sustained
from scripts.dataset.score import SAMPLE_RATE_HZ, Part

FINER = 2
"""Operators that modulate strongly would alias at the rate of the songs."""

THREE_PAIRS = 4
"""Index of the algorithm: operators 1, 3 and 5 sound, modulated by 2, 4 and 6."""

TINE = 1
"""Index of the operator that modulates the tine."""

TINE_RATIOS = (3, 5, 7, 9, 11, 14, 14, 14)
BODY_RATIOS = (1, 1, 1, 1, 1, 2, 3)
LONGEST_SECONDS = 6.0


def is_available() -> bool:
    """Whether the engine is installed."""
    return find_spec("dexed") is not None


def render_dx7(part: Part, duration_seconds: float, tune_cents: float, rng: Random) -> np.ndarray:
    """Play a part on an electric piano; the voice is drawn from `rng`.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono
    """
    voice = Voice(rng, tune_cents)
    held = sustained(part, duration_seconds)
    return play_sounds(held, duration_seconds, tune_cents, voice.sound, rng.uniform(0.03, 0.15))


class Voice:
    """A voice; it is tuned by rendering at another sample rate than that at which it is played."""

    def __init__(self, rng: Random, tune_cents: float) -> None:
        """Draw the settings."""
        import dexed  # not there before Python 3.11

        self.tune_cents = tune_cents
        self.synth = dexed.DexedSynth(FINER * SAMPLE_RATE_HZ / 2.0 ** (tune_cents / 1200.0))
        patch = dexed.Patch(name="tine")
        draw_settings(patch, rng)
        self.synth.load_patch(patch)

    def sound(self, hz: float, force: float) -> np.ndarray:
        """A note of a frequency, struck with a force from 0 to 1: [N] for 6 s."""
        pitch = round(69 + 12 * np.log2(hz / 440.0) - self.tune_cents / 100.0)
        velocity = 1 + round(126 * force)
        fine = self.synth.render(pitch, velocity, LONGEST_SECONDS, LONGEST_SECONDS)
        sound = resample_poly(fine, 1, FINER)
        # What still sounds then does not end at once.
        left = np.arange(len(sound))[::-1] / SAMPLE_RATE_HZ
        return np.asarray(sound * np.minimum(1.0, 2.0 * left), dtype=np.float32)


def draw_settings(patch: Any, rng: Random) -> None:
    """Give a voice new settings in place, in the numbers of the DX7."""
    patch.algorithm = THREE_PAIRS
    patch.feedback = rng.randint(0, 6)
    for index, operator in enumerate(patch.op):
        sounding = index % 2 == 0
        operator.rate_scaling = rng.randint(2, 4)
        operator.detune = rng.randint(4, 10)
        operator.frequency_coarse = 1 if sounding else rng.choice(BODY_RATIOS)
        operator.output_level = rng.randint(88, 99) if sounding else rng.randint(55, 88)
        operator.velocity_sensitivity = 0 if sounding else rng.randint(2, 7)
        decay, ringing = rng.randint(18, 38), rng.randint(15, 30)
        operator.envelope.rates = [rng.randint(92, 99), decay, ringing, 60]
        operator.envelope.levels = [99, rng.randint(70, 95), 0, 0]
    tine = patch.op[TINE]
    tine.frequency_coarse = rng.choice(TINE_RATIOS)
    tine.output_level = rng.randint(45, 75)
    tine.envelope.rates[1:3] = [rng.randint(40, 65), rng.randint(25, 40)]
    # High notes have less of it.
    tine.right_depth = rng.randint(15, 60)
