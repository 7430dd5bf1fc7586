"""Tempo, first beat and key of a piece, from its sketch.

Onsets are where a sketch rises. A tempo is a frequency of onsets, with its multiples, so it is
found in the spectrum of a whole piece: to a hundredth of a beat a minute where the tempo is steady.
Where no frequency stands out, there is none. A bar begins where the bass sets in and the harmony
changes most. The key is the one whose profile fits the mean chroma best.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.representations.sketch import BANDS, HOP, SAMPLE_RATE_HZ
from msdm_cli.tasks.controls import NOTES
from msdm_cli.tasks.tonality import NOTE_BANDS, PITCH_CLASS, PROFILES

Array = NDArray[np.float64]

FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP

SILENCE = -6.0
"""What is softer counts as this, in the units of a sketch."""

TEMPOS = np.geomspace(50, 200, 3000)
"""Tempos that are tried, in beats a minute."""
USUAL_TEMPO = 118.0
OCTAVES = 0.9
"""A tempo is twice as fast or slow as the usual one with a likelihood of exp(-1/2 / 0.9^2)."""
MULTIPLES = {1: 1.0, 2: 1.0, 4: 1.0, 8: 0.5}
"""Multiples of the frequency of beats, and how much they count."""
NEAR = 1.05
"""A tempo this far beyond those that are usual is still taken for usual."""
STANDS_OUT = 5.0
"""A tempo has this many times the strength of the median of all. Noise has up to 3, songs 8 to 45.
"""
SLOW_FRAMES = 87
"""Onsets are relative to their mean over 2 s."""

DELAY_SECONDS = 0.024
"""Onsets are heard this much too early: the windows of a sketch are long."""

LOW_BANDS = 24
"""Bands of the bass: up to 160 Hz."""
PITCHED_BANDS = slice(12, NOTE_BANDS)
"""Bands of notes, from 80 Hz on."""
NEAR_BANDS = 2
"""A note stands out from the mean of so many bands on either side."""


@dataclass(frozen=True)
class Beat:
    """A steady beat.

    Attributes:
        tempo: In beats a minute.
        first_beat: Time of the first beat of a bar, in seconds.
    """

    tempo: float
    first_beat: float


class Listener:
    """Hears the sketch of a piece, block by block.

    Args:
        pitched: Whether any of it has notes.
        start: Where the first block begins in the piece, in seconds.
    """

    def __init__(self, *, pitched: bool = True, start: float = 0.0) -> None:
        self._pitched = pitched
        self._start = start
        self._last: NDArray[np.float32] | None = None
        self._onsets: list[Array] = []
        self._low: list[Array] = []
        self._chroma: list[Array] = []

    def push(self, sketch: NDArray[np.float32], notes: NDArray[np.float32]) -> None:
        """Hear the next frames.

        Args:
            sketch: Of all stems together, ``[BANDS, frames]``.
            notes: Of those that have notes, if any has.
        """
        heard = np.maximum(sketch, SILENCE)
        before = heard[:, :1] if self._last is None else self._last
        rises = np.maximum(np.diff(heard, axis=1, prepend=before), 0)
        self._last = heard[:, -1:]
        self._onsets.append(rises.mean(0, dtype=np.float64))
        self._low.append(rises[:LOW_BANDS].mean(0, dtype=np.float64))
        self._chroma.append(find_chroma(np.maximum(notes, SILENCE)))

    def find_beat(
        self,
        tempo: float | None = None,
        bar_quarters: int = 4,
        usual: tuple[float, float] | None = None,
    ) -> Beat | None:
        """The beat; None if there is none.

        Args:
            tempo: The tempo, if it is known.
            bar_quarters: Length of a bar, in quarter notes.
            usual: Slowest and fastest tempo of the style, if it is known: which of a tempo, half of
                it and twice of it is meant cannot always be heard.
        """
        onsets = _remove_mean(np.concatenate(self._onsets))
        if tempo is None:
            tempo = find_tempo(onsets)
            if tempo is not None and usual is not None:
                tempo = move_by_octave(tempo, *usual)
        if tempo is None or not onsets.any():
            return None
        beat = find_phase(onsets, tempo)
        seconds = 60 / tempo
        first_beat = beat + self._find_bar(beat, seconds, bar_quarters) * seconds
        return Beat(tempo, self._start + first_beat)

    def find_key(self) -> str | None:
        """The key, such as ``Eb minor``; None if nothing has a pitch."""
        chroma = np.concatenate(self._chroma, 1).sum(1)
        if not self._pitched or chroma.std() == 0:
            return None
        fits = {
            f"{note} {mode}": np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]
            for mode, profile in PROFILES.items()
            for tonic, note in enumerate(NOTES)
        }
        return max(fits, key=lambda key: float(fits[key]))

    def _find_bar(self, beat: float, seconds: float, beats: int) -> int:
        """The number of the first beat that begins a bar."""
        low = np.concatenate(self._low)
        chroma = np.concatenate(self._chroma, 1)
        span = max(2, int(0.9 * seconds * FRAMES_PER_SECOND))
        places = np.arange(beat, len(low) / FRAMES_PER_SECOND - seconds, seconds)
        frames = np.round(places * FRAMES_PER_SECOND).astype(int)
        if len(frames) < 2 * beats:
            return 0
        bass = np.array([low[max(0, place - 1) : place + 3].max() for place in frames])
        change = np.array([_find_change(chroma, place, span) for place in frames])
        strength = _standardise(bass) + _standardise(change)
        return int(np.argmax([strength[first::beats].mean() for first in range(beats)]))


def find_tempo(onsets: Array) -> float | None:
    """The tempo of onsets, in beats a minute; None if none stands out."""
    padded = 1 << (len(onsets) - 1).bit_length() + 2
    spectrum = np.abs(np.fft.rfft(onsets * np.hanning(len(onsets)), padded))
    frequencies = np.fft.rfftfreq(padded, 1 / FRAMES_PER_SECOND)
    strength = sum(
        weight * np.interp(multiple * TEMPOS / 60, frequencies, spectrum)
        for multiple, weight in MULTIPLES.items()
    )
    usual = np.exp(-0.5 * (np.log2(TEMPOS / USUAL_TEMPO) / OCTAVES) ** 2)
    strength = strength * usual
    if strength.max() <= STANDS_OUT * np.median(strength):
        return None
    return _refine(onsets, float(TEMPOS[strength.argmax()]))


def move_by_octave(tempo: float, slowest: float, fastest: float) -> float:
    """A tempo, half of it or twice of it: the one that is usual, or as it is if none is."""
    alike = [factor * tempo for factor in (1, 0.5, 2)]
    usual = [one for one in alike if slowest / NEAR <= one <= fastest * NEAR]
    return usual[0] if usual else tempo


def _refine(onsets: Array, tempo: float) -> float:
    """The tempo near another one at which the onsets are strongest."""
    for span, steps in ((2e-3, 41), (1e-4, 21)):
        near = tempo * np.linspace(1 - span, 1 + span, steps)
        tempo = float(near[np.argmax([_measure(onsets, one) for one in near])])
    return tempo


def _measure(onsets: Array, tempo: float) -> float:
    return float(sum(weight * abs(wave) for weight, wave in _list_waves(onsets, tempo)))


def _list_waves(onsets: Array, tempo: float) -> Iterator[tuple[float, complex]]:
    """Weight, and strength and phase, of each multiple of the frequency of beats."""
    turns = np.arange(len(onsets)) / FRAMES_PER_SECOND * tempo / 60
    for multiple, weight in MULTIPLES.items():
        yield weight, complex(onsets @ np.exp(-2j * np.pi * multiple * turns))


def find_phase(onsets: Array, tempo: float) -> float:
    """Time of the first beat, in seconds."""
    turns = np.linspace(0, 1, 200, endpoint=False)
    waves = zip(MULTIPLES, _list_waves(onsets, tempo), strict=True)
    comb = sum(
        weight * (wave * np.exp(2j * np.pi * multiple * turns)).real
        for multiple, (weight, wave) in waves
    )
    return float(turns[np.argmax(comb)] * 60 / tempo + DELAY_SECONDS)


def find_chroma(sketch: NDArray[np.float32]) -> Array:
    """How far each pitch class stands out in each frame, ``[BANDS, frames] -> [12, frames]``."""
    padded = np.pad(sketch, ((NEAR_BANDS, NEAR_BANDS), (0, 0)), mode="edge")
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR_BANDS + 1, 0).mean(-1)
    below, above = padded[NEAR_BANDS - 1 : -NEAR_BANDS - 1], padded[NEAR_BANDS + 1 :][:BANDS]
    is_peak = (sketch > below) & (sketch >= above)
    notes = np.where(is_peak, np.maximum(sketch - near, 0), 0)[PITCHED_BANDS]
    classes = PITCH_CLASS[PITCHED_BANDS]
    chroma = np.stack([notes[classes == pitch].sum(0) for pitch in range(12)])
    return chroma.astype(np.float64)


def _find_change(chroma: Array, place: int, span: int) -> float:
    """How much the harmony after a frame differs from that before it, 0 to 1."""
    before = chroma[:, max(0, place - span) : place].sum(1)
    after = chroma[:, place + 1 : place + span].sum(1)
    size = np.linalg.norm(before) * np.linalg.norm(after)
    return float(1 - before @ after / size) if size else 0.0


def _remove_mean(onsets: Array) -> Array:
    mean: Array = np.convolve(onsets, np.ones(SLOW_FRAMES) / SLOW_FRAMES, "same")
    return onsets - mean[: len(onsets)]


def _standardise(values: Array) -> Array:
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation else values - values.mean()
