"""A draft of the sound of a sketch: oscillators at the notes, noise where there are none.

The low bands of a sketch resolve semitones, the others do not: that the power at 2 kHz belongs to
harmonics of a note is known from the note alone. An oscillator has all harmonics of its note in the
right places; the powers of bands then say how loud each is
(``msdm_cli.representations.sketch_agreement``). Instruments are taken to be tuned to A4 at 440 Hz,
in equal temperament.

Source: harmonics and filtered noise, spectral modelling synthesis (Serra & Smith 1990).
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.representations.sketch import FLOOR, HOP, LOW_BANDS, LOWEST_HZ, SAMPLE_RATE_HZ
from msdm_cli.representations.sketch_agreement import agree

Array = NDArray[np.float32]

NOTE_RANGE = 2.0
"""Notes are at most 20 dB below the loudest band of their frame."""

QUIETEST_NOTE = -6.5

LEAST_FRAMES = 3
"""What peaks in fewer frames of a stretch is no note."""

HARMONICS = 16
"""A peak at one of so many harmonics of a lower note is not a note of its own."""

EXACT_HARMONICS = 4
"""Harmonics up to here fall on a semitone, those above up to one beside it."""

NOISE = 1e-4
"""Standard deviation of the noise. More of it fills the gaps between harmonics."""

METAL_HZ = 43.0
METAL_DB = 8.0
"""Noise of drums is louder and softer by so much (standard deviation), at frequencies so far apart.

Cymbals ring, and always at the same frequencies: white noise is smoother than they are.
"""

TABLE_LENGTH = 4096
AGREEMENTS = 2


def draft_sound(sketch: NDArray[np.floating[Any]], first: int, *, has_notes: bool = True) -> Array:
    """The draft of one stem.

    Args:
        sketch: Its sketch, as ``find_sketch`` gives it.
        first: Where the sketch begins in the piece, in samples: oscillators go on through it.
        has_notes: Whether what sounds has harmonics. Skins of drums have not: what is above them is
            the noise of metal.

    Shape:
        ``[BANDS, T / HOP] -> [T]``
    """
    length = sketch.shape[1] * HOP
    draft = NOISE * np.random.default_rng(first).standard_normal(length, np.float32)
    if not has_notes:
        draft = _sound_like_metal(draft)
    frames = (np.arange(sketch.shape[1]) + 0.5) * HOP
    places = np.arange(length)
    notes = find_notes(sketch if has_notes else sketch[:LOW_BANDS])
    for note in np.flatnonzero(notes.any(1)):
        level = np.interp(places, frames, np.where(notes[note], 10 ** (sketch[note] / 2), 0))
        played = play_note(int(note), first + places, has_harmonics=has_notes)
        draft += level.astype(np.float32) * played
    stems = draft[None]
    for _ in range(AGREEMENTS):
        stems = agree(stems, sketch[None])
    return stems[0]


def find_notes(sketch: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Where notes sound, ``[bands, frames] -> [bands, frames]``: peaks without a lower note."""
    around = np.pad(sketch, ((2, 2), (0, 0)), constant_values=FLOOR - 1)
    below = np.maximum(around[:-4], around[1:-3])
    above = np.maximum(around[3:-1], around[4:])
    heard = sketch > np.maximum(sketch.max(0) - NOTE_RANGE, QUIETEST_NOTE)
    peaks = heard & (sketch >= below) & (sketch > above)
    notes = np.zeros_like(peaks)
    for band in range(len(sketch)):
        lower = [band - distance for distance in list_distances() if distance <= band]
        notes[band] = peaks[band] & ~notes[lower].any(0)
    return _fill_gaps(notes)


def _sound_like_metal(noise: Array) -> Array:
    """Make noise that is louder at some frequencies, the same in all chunks, ``[T] -> [T]``."""
    bins = np.fft.rfftfreq(len(noise), METAL_HZ / SAMPLE_RATE_HZ)
    gain = np.interp(bins, np.arange(len(_draw_metal())), _draw_metal())
    return np.fft.irfft(np.fft.rfft(noise) * gain, len(noise)).astype(np.float32)


@cache
def _draw_metal() -> NDArray[np.float64]:
    """Gains at multiples of ``METAL_HZ``."""
    count = int(SAMPLE_RATE_HZ / 2 / METAL_HZ) + 2
    gain: NDArray[np.float64] = 10 ** (
        METAL_DB / 20 * np.random.default_rng(0).standard_normal(count)
    )
    return gain


@cache
def list_distances() -> list[int]:
    """How many semitones above a note its harmonics may be found."""
    exact = 12 * np.log2(np.arange(2, HARMONICS + 1))
    nearest = np.round(exact).astype(int)
    wide = nearest[EXACT_HARMONICS - 1 :]
    return sorted({*nearest.tolist(), *(wide - 1).tolist(), *(wide + 1).tolist()})


def _fill_gaps(notes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Notes go on through a single frame without them; short ones are dropped."""
    around = np.pad(notes, ((0, 0), (1, 1)))
    filled = notes | (around[:, :-2] & around[:, 2:])
    filled[filled.sum(1) < LEAST_FRAMES] = False
    return filled


def play_note(note: int, places: NDArray[np.integer[Any]], *, has_harmonics: bool = True) -> Array:
    """The note of a band at samples of the piece, harmonics with random phases."""
    frequency = LOWEST_HZ * 2 ** (note / 12)
    turns = places * (frequency / SAMPLE_RATE_HZ)
    inside = ((turns - np.floor(turns)) * TABLE_LENGTH).astype(np.int64)
    played: Array = _draw_period(note, has_harmonics)[inside % TABLE_LENGTH]
    return played


@cache
def _draw_period(note: int, has_harmonics: bool) -> Array:
    """One period of a note: its harmonics fall by 3 dB an octave."""
    highest = int(SAMPLE_RATE_HZ / 2 / (LOWEST_HZ * 2 ** (note / 12)))
    count = highest if has_harmonics else 1
    phases = np.random.default_rng(note).uniform(0, 2 * np.pi, count)
    spectrum = np.zeros(TABLE_LENGTH // 2 + 1, np.complex128)
    spectrum[1 : count + 1] = np.exp(1j * phases) / np.sqrt(np.arange(1, count + 1))
    return (np.fft.irfft(spectrum) * TABLE_LENGTH / 2).astype(np.float32)
