"""Plays a part in sounds that are made for each pitch and force."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scripts.dataset.score import SAMPLE_RATE_HZ, Part, without_overlaps


def sustained(part: Part, duration_seconds: float) -> Part:
    """The part with its notes held while the pedal is down, until their pitch is struck again."""
    notes = []
    times = [seconds for seconds, _ in part.pedals]
    for note in part.notes:
        end = note.start_seconds + note.duration_seconds
        following = bisect_right(times, end)
        if following and part.pedals[following - 1][1]:
            later = part.pedals[following:]
            end = next((seconds for seconds, down in later if not down), duration_seconds)
        notes.append(replace(note, duration_seconds=end - note.start_seconds))
    return replace(part, notes=without_overlaps(notes))


def play_sounds(
    part: Part,
    duration_seconds: float,
    tune_cents: float,
    sound_of: Callable[[float, float], np.ndarray],
    release_seconds: float,
) -> np.ndarray:
    """Play a part.

    Args:
        part: What is played.
        duration_seconds: Length of the output.
        tune_cents: How far to tune all notes.
        sound_of: The sound of a note, from a frequency in hertz and a force from 0 to 1.
        release_seconds: In which a note that is let go falls to 1/e.

    Shape:
        ``-> [T]`` float32
    """
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
