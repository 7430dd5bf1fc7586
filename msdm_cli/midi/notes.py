"""The notes of a sound, by the network of Basic Pitch.

Source: Bittner, Bosch, Rubinstein, Meseguer-Brocal, Ewert, "A lightweight instrument-agnostic model
for polyphonic note transcription and multipitch estimation", ICASSP 2022, arXiv 2203.09893. The
network hears 2 s at 22 050 Hz. It tells, for each key of a piano and every 256 samples, how likely
the key sounds, and how likely it begins to.
"""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.resample import StreamResampler
from msdm_cli.audio.source import AudioSource, read_all
from msdm_cli.errors import MissingPackage

PACKAGE = "basic-pitch"
NETWORK = "nmp.onnx"
RATE = 22050
HOP = 256
WINDOW = 2 * RATE - HOP
MARGIN_FRAMES = 15
"""At both ends of a window the network knows too little."""
STEP = WINDOW - 2 * MARGIN_FRAMES * HOP
SOUNDS, BEGINS = "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"
"""Outputs of the network."""

LOWEST_KEY = 21
"""A0, the lowest key of a piano, as MIDI counts."""
BEGIN_LEAST = 0.5
SOUND_LEAST = 0.3
"""What the authors take for a beginning, and for a sound."""
SILENT_FRAMES = 11
"""So long may a note be silent, 0.13 s, before it has ended; and so long it has to be."""
BLOCK_FRAMES = 1 << 16

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Note:
    """A note.

    Attributes:
        start: When it begins, in seconds.
        stop: When it ends.
        key: As MIDI counts: 60 is the middle C.
        loudness: 0 to 1.
    """

    start: float
    stop: float
    key: int
    loudness: float


def transcribe(source: AudioSource) -> list[Note]:
    """The notes of a sound, in order.

    Raises:
        AudioError: It cannot be decoded.
        MissingPackage: Basic Pitch is not installed.
    """
    # Imported first, it keeps ONNX Runtime from asking a server.
    import onnxruntime

    path = str(find_network())
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (name,) = (one.name for one in session.get_inputs())
    sounds: list[Array] = []
    begins: list[Array] = []
    times: list[NDArray[np.float64]] = []
    for index, window in enumerate(_cut(source)):
        answers = session.run([SOUNDS, BEGINS], {name: window[None, :, None]})
        inner = slice(MARGIN_FRAMES, -MARGIN_FRAMES)
        for answer, kept in zip(answers, (sounds, begins), strict=True):
            kept.append(answer[0, inner])
        times.append((index * STEP + np.arange(len(sounds[-1])) * HOP) / RATE)
    return find_notes(np.concatenate(sounds), np.concatenate(begins), np.concatenate(times))


def find_network() -> Path:
    """The network's file in the package, of which nothing is imported: it would need TensorFlow.

    Raises:
        MissingPackage: It is not installed.
    """
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = next((file for file in files if file.name == NETWORK), None)
    if found is None:
        raise MissingPackage(
            f"{PACKAGE}, which knows notes, is not installed",
            f"pip install --no-deps {PACKAGE}==0.4.0: its network is all that is needed.",
        )
    return Path(str(found.locate()))


def _cut(source: AudioSource) -> Iterator[Array]:
    """Windows of a sound in mono, each ``STEP`` after the last, with silence at both ends."""
    held = np.zeros(MARGIN_FRAMES * HOP, np.float32)
    for block in _read_mono(source):
        held = np.concatenate((held, block))
        while len(held) >= WINDOW:
            yield held[:WINDOW]
            held = held[STEP:]
    if len(held) > MARGIN_FRAMES * HOP:
        yield np.pad(held, (0, WINDOW - len(held)))


def _read_mono(source: AudioSource) -> Iterator[Array]:
    resampler = StreamResampler(source.properties.sample_rate, RATE, 1)
    for block in read_all(source, BLOCK_FRAMES):
        yield resampler.push(np.ascontiguousarray(block.mean(0, keepdims=True)))[0]
    yield resampler.finish()[0]


def find_notes(sounds: Array, begins: Array, times: NDArray[np.float64]) -> list[Note]:
    """Notes from what the network says: each begins at a peak, and lasts as long as it sounds.

    The latest beginning comes first. What a note takes, and a semitone to either side of it, is
    gone for those that begin before.

    Args:
        sounds: How likely each key sounds.
        begins: How likely it begins to.
        times: When each frame is, in seconds, ``[T]``.

    Shape:
        ``[T, keys], [T, keys], [T]``
    """
    left = sounds.copy()
    notes = []
    for first, key in _list_peaks(begins, sounds)[::-1]:
        last = _find_end(left[:, key], first)
        if last - first > SILENT_FRAMES:
            loudness = float(sounds[first:last, key].mean())
            stop = float(times[min(last, len(times) - 1)])
            notes.append(Note(float(times[first]), stop, LOWEST_KEY + key, loudness))
            left[first:last, max(0, key - 1) : key + 2] = 0
    return sorted(notes, key=lambda note: (note.start, note.key))


def _list_peaks(begins: Array, sounds: Array) -> list[tuple[int, int]]:
    """Frames and keys where the likelihood of a beginning is highest, in order of time.

    A sudden rise of the sound is a beginning, too.
    """
    padded = np.pad(sounds, ((2, 0), (0, 0)))
    rise = np.maximum(np.minimum(sounds - padded[1:-1], sounds - padded[:-2]), 0)
    if rise.max(initial=0) > 0:
        rise = rise * (begins.max() / rise.max())
    likely = np.pad(np.maximum(begins, rise), ((1, 1), (0, 0)))
    middle = likely[1:-1]
    peaks = (middle >= BEGIN_LEAST) & (middle > likely[:-2]) & (middle >= likely[2:])
    return [(int(frame), int(key)) for frame, key in np.argwhere(peaks)]


def _find_end(sound: Array, first: int) -> int:
    """The frame after a note's last one."""
    heard = np.flatnonzero(sound[first:] >= SOUND_LEAST)
    if not len(heard) or heard[0] >= SILENT_FRAMES:
        return first
    gaps = np.flatnonzero(np.diff(heard) > SILENT_FRAMES)
    last = heard[gaps[0]] if len(gaps) else heard[-1]
    return first + int(last) + 1
