"""Zones of an instrument: its samples, and the keys that each of them plays.

An instrument is a folder ``PPPV_BANK`` (program, variation, bank) with ``zones.json`` and samples.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

CONTENTS = "zones.json"

FARTHEST_SEMITONES = 14
"""How far from its pitch a sample is played."""

WANTED_KEYS = {"bass": (28, 60), "guitar": (36, 88), "piano": (24, 104)}
"""Lowest and highest key that a stem plays."""

QUIET = 0.02
"""Level before a sample speaks, relative to its peak."""

SHORTEST_LOOP_SAMPLES = 8


@dataclass(frozen=True)
class Zone:
    """A sample, and the keys that it plays.

    Attributes:
        audio: The sample from where it speaks, ``[N]``.
        rate: Its sample rate in hertz.
        low: Lowest key.
        high: Highest key.
        root: MIDI pitch at which the sample sounds as it is, with a fraction.
        loop: First and last sample of what is repeated, if anything is.
    """

    audio: np.ndarray
    rate: int
    low: int
    high: int
    root: float
    loop: tuple[int, int] | None

    @property
    def seconds(self) -> float:
        """How long the sample is."""
        return len(self.audio) / self.rate

    @property
    def hz(self) -> float:
        """Frequency at which the sample sounds as it is."""
        return float(440.0 * 2.0 ** ((self.root - 69) / 12))


def name_stem(program: int) -> str:
    """The stem that a General MIDI program belongs to."""
    return {0: "piano", 3: "guitar", 4: "bass"}[program // 8]


def read_zones(folder: Path) -> list[Zone]:
    """The zones of an instrument as published, without the silence before a sample speaks."""
    entries = json.loads((folder / CONTENTS).read_text())["zones"]
    return [
        _read_zone(folder / entry["file"], entry)
        for entry in entries
        if entry["key_low"] <= entry["key_high"]
    ]


def _read_zone(path: Path, entry: dict[str, Any]) -> Zone:
    stated_rate = round(entry["sample_rate"])
    audio, rate = _read_audio(path, stated_rate)
    loud = np.abs(audio) > QUIET * np.abs(audio).max(initial=1e-6)
    # A millisecond of the attack before that stays.
    onset = max(0, int(np.argmax(loud)) - rate // 1000)
    root = entry["original_pitch_cents"] / 100 - entry["coarse_tune"] - entry["fine_tune"] / 100
    loop = None
    if entry["loop_end"] > entry["loop_start"] > 0:
        # Loops are stated in samples of the stated rate.
        first = round(entry["loop_start"] * rate / stated_rate) - onset
        end = round(entry["loop_end"] * rate / stated_rate) - onset
        loop = max(first, 0), min(end, len(audio) - onset) - 1
        if loop[1] - loop[0] <= SHORTEST_LOOP_SAMPLES:
            loop = None
    return Zone(audio[onset:], rate, round(entry["key_low"]), round(entry["key_high"]), root, loop)


def _read_audio(path: Path, stated_rate: int) -> tuple[np.ndarray, int]:
    """A sample in mono, ``[N]``, and its rate."""
    if path.suffix == ".raw":
        return np.fromfile(path, dtype="<i2") / np.float32(32768), stated_rate
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return sound.mean(1), rate


def assign_keys(zones: Sequence[Zone]) -> dict[int, Zone]:
    """Key -> the zone that plays it: of those published for it, the one of the nearest pitch."""
    found = {}
    for key in range(12, 116):
        fitting = [zone for zone in zones if zone.low <= key <= zone.high]
        near = min(fitting, key=lambda zone: abs(zone.root - key), default=None)
        if near and abs(near.root - key) <= FARTHEST_SEMITONES:
            found[key] = near
    return found


def find_compass(keys: dict[int, Zone], stem: str) -> tuple[int, int]:
    """Lowest and highest key of the longest run without a gap, within what a stem plays."""
    low, high = WANTED_KEYS[stem]
    runs: list[list[int]] = []
    for key in sorted(key for key in keys if low <= key <= high):
        if runs and key == runs[-1][-1] + 1:
            runs[-1].append(key)
        else:
            runs.append([key])
    longest = max(runs, key=len, default=[0])
    return longest[0], longest[-1]
