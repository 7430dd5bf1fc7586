"""Whether the notes of a stem belong to what the other stems play.

Notes are found by the network of Basic Pitch (``msdm_cli.midi.notes``). A note fits where its pitch
class sounds in the others, less than half a second before or after it: chords go on under
arpeggios.
"""

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.source import ArraySource
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.midi.notes import Note, transcribe
from scripts.bench.music_figures import RATE_HZ

FRAMES_PER_SECOND = 20
NEAR_FRAMES = 10

Roll = NDArray[np.bool_]
"""Which of twelve pitch classes sound, ``[12, frames]``."""


def find_roll(x: Samples) -> Roll:
    """The pitch classes of a sound, ``[T] -> [12, frames]``."""
    notes = transcribe(ArraySource(np.asarray(x, np.float32), RATE_HZ))
    return draw_roll(notes, len(x) / RATE_HZ)


def draw_roll(notes: list[Note], seconds: float) -> Roll:
    """The pitch classes of notes, ``-> [12, frames]``."""
    roll = np.zeros((12, round(seconds * FRAMES_PER_SECOND)), bool)
    for note in notes:
        first, last = (round(time * FRAMES_PER_SECOND) for time in (note.start, note.stop))
        roll[note.key % 12, first : max(last, first + 1)] = True
    return roll


def measure_chord_tones(x: Roll, y: Roll) -> float:
    """Share of what sounds in ``x`` that sounds in ``y`` nearby; NaN if ``x`` has no notes."""
    reach = 2 * NEAR_FRAMES + 1
    padded = np.pad(y, ((0, 0), (NEAR_FRAMES, NEAR_FRAMES)))
    near = np.lib.stride_tricks.sliding_window_view(padded, reach, 1).any(2)
    return float((x & near).sum() / x.sum()) if x.any() else float("nan")
