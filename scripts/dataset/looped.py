"""Renders a part as samplers with little memory do: on a few short samples, each looped early.

What sounds after the loop begins repeats exactly, a period or a few at a time, and dies away by an
envelope. Small sound fonts, keyboards and games sound like this; large sampled instruments do not.
"""

from collections.abc import Callable
from random import Random

import numpy as np
from scipy.signal import resample_poly

from scripts.dataset.playing import play_sounds, sustained
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part

_FINER = 4  # linear interpolation between samples dulls the sound less at four times the rate
_FIRST_SECONDS = 0.5
_APART_SECONDS = 1.8
_NOTE_SECONDS = 1.0
_LONGEST_SECONDS = 6.0
_SILENT = 1e-4


def render_looped(
    part: Part,
    duration_seconds: float,
    tune_cents: float,
    rng: Random,
    render: Callable[[Part, float], np.ndarray],
) -> np.ndarray:
    """Sample an instrument at a few pitches, and play the part with the samples.

    Args:
        part: What is played.
        duration_seconds: Length of the output.
        tune_cents: How far to tune all notes.
        rng: Draws which pitches are sampled, how late samples loop, and the envelope.
        render: Renders a part of a length in seconds on the instrument, [T] at 22 050 Hz.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono, not normalised
    """
    sampler = Sampler([note.pitch for note in part.notes], tune_cents, rng, render)
    release_seconds = rng.uniform(0.02, 0.12)
    return play_sounds(
        sustained(part, duration_seconds),
        duration_seconds,
        tune_cents,
        sampler.sound,
        release_seconds,
    )


class Sampler:
    """Short looped samples of an instrument.

    Attributes:
        samples: By the frequency in hertz at which they were taken.
        tune_cents: How far the notes are tuned that it is asked for.

    Raises:
        RuntimeError: The instrument is silent at all pitches that are sampled.
    """

    def __init__(
        self,
        pitches: list[int],
        tune_cents: float,
        rng: Random,
        render: Callable[[Part, float], np.ndarray],
    ) -> None:
        """Draw the settings and sample the instrument where these pitches need it."""
        apart = rng.choice((3, 4, 5, 6, 8, 12))
        lowest, highest = min(pitches), max(pitches)
        roots = range(min(lowest + rng.randrange(apart // 2 + 1), highest), highest + 1, apart)
        starts = [_FIRST_SECONDS + _APART_SECONDS * index for index in range(len(roots))]
        notes = [
            Note(start, _NOTE_SECONDS, pitch, 96)
            for start, pitch in zip(starts, roots, strict=True)
        ]
        audio = render(Part(notes), starts[-1] + _APART_SECONDS)
        self.tune_cents = tune_cents
        self.attack_seconds = 0.02 * 25.0 ** rng.random()
        self.periods = rng.choice((1, 1, 2, 2, 3, 4, 20))
        self.decay_seconds = 0.3 * 12.0 ** rng.random()
        self.tilt = rng.uniform(0.0, 0.6)
        self.samples: dict[float, np.ndarray] = {}
        for start, pitch in zip(starts, roots, strict=True):
            first = round(start * SAMPLE_RATE_HZ)
            count = round(_NOTE_SECONDS * SAMPLE_RATE_HZ)
            segment = audio[first - 512 : first + count]
            peak = float(np.abs(segment).max(initial=0.0))
            if peak > _SILENT:
                onset = max(0, int(np.argmax(np.abs(segment) > 0.05 * peak)) - 40)
                sample = resample_poly(segment[onset:] / peak, _FINER, 1)
                self.samples[440.0 * 2.0 ** ((pitch - 69) / 12.0)] = sample
        if not self.samples:
            raise RuntimeError(f"the instrument is silent at the pitches {list(roots)}")

    def sound(self, hz: float, force: float) -> np.ndarray:
        """A note of a frequency, [N] for 6 s: how hard it is played is left to its level."""
        del force
        # The sample is that of the pitch from which a note is tuned. The one nearest to where the
        # note sounds would undo another size of the instrument.
        played_hz = hz / 2.0 ** (self.tune_cents / 1200.0)
        root = min(self.samples, key=lambda other: abs(np.log(other / played_hz)))
        sample = self.samples[root]
        length = len(sample) / _FINER
        loop = self.periods * SAMPLE_RATE_HZ / root
        start = max(self.attack_seconds * SAMPLE_RATE_HZ, loop)
        if start + loop > length - 1:
            start = 0.8 * length
            loop = SAMPLE_RATE_HZ / root

        def read(at: np.ndarray) -> np.ndarray:
            return np.interp(at * _FINER, np.arange(len(sample)), sample)

        time = np.arange(round(_LONGEST_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        at = time * SAMPLE_RATE_HZ * hz / root
        inside = np.maximum(at - start, 0.0) % loop
        # Each round fades into what came before the loop, so that its end meets its beginning.
        faded = (1 - inside / loop) * read(start + inside) + inside / loop * read(
            start + inside - loop
        )
        sound = np.where(at < start, read(at), faded)
        looped = np.maximum(time - start / (SAMPLE_RATE_HZ * hz / root), 0.0)
        sound *= np.exp(-looped / self.decay_seconds * (hz / 262.0) ** self.tilt)
        return np.asarray(sound, dtype=np.float32)
