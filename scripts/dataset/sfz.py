"""Writes zones as an instrument in SFZ."""

from pathlib import Path

import numpy as np
import soundfile

from scripts.dataset.timbres import DRIVEN_PROGRAMS
from scripts.dataset.zones import Zone, name_stem

INSTRUMENT = "instrument.sfz"

SUSTAINED_PROGRAMS = (*DRIVEN_PROGRAMS, 38, 39)
"""Distorted guitars and synthesised basses, whose held notes do not die away."""

RELEASE_SECONDS = {"bass": 0.3, "guitar": 0.5, "piano": 0.5}
DECAY_SECONDS = {"bass": 6.0, "guitar": 8.0, "piano": 8.0}
"""Until a note has fallen by 78 dB; alike for guitars and pianos, whose own nobody published."""

LONGEST_HOLD_SECONDS = 0.3
PEAK = np.float32(0.7)

FADED_DB = -60.0
"""Level at which the sample of a held note may end, relative to its beginning."""

BEGINNING_SECONDS = 0.3
END_SECONDS = 0.05

DECAY_DB = float(20 * np.log10(np.exp(9)))
"""How far sfizz lets a note fall within ``ampeg_decay``."""


def write_sfz(keys: dict[int, Zone], program: int, folder: Path) -> None:
    """Write the samples of the zones that keys play, and ``instrument.sfz`` beside them."""
    release = RELEASE_SECONDS[name_stem(program)]
    lines = [f"<global> ampeg_release={release} amp_veltrack=100"]
    names: dict[int, str] = {}
    for key, zone in keys.items():
        if id(zone) not in names:
            names[id(zone)] = f"{len(names)}.flac"
            scaled = zone.audio * (PEAK / np.abs(zone.audio).max())
            soundfile.write(folder / names[id(zone)], scaled, zone.rate, subtype="PCM_16")
        centre = round(zone.root)
        tune = f"pitch_keycenter={centre} tune={100 * (centre - zone.root):.1f}"
        ending = _describe_ending(key, zone, program)
        lines.append(f"<region> sample={names[id(zone)]} key={key} {tune} {ending}")
    (folder / INSTRUMENT).write_text("\n".join(lines) + "\n")


def _describe_ending(key: int, zone: Zone, program: int) -> str:
    """What becomes of a note that is held: the banks' own envelopes are not published."""
    if zone.loop is None:
        return f"loop_mode=no_loop{_fade(key, zone)}"
    first, last = zone.loop
    loop = f"loop_mode=loop_continuous loop_start={first} loop_end={last}"
    if program in SUSTAINED_PROGRAMS:
        return loop
    # Strings of half the length die away in half the time, or nearly.
    decay = DECAY_SECONDS[name_stem(program)] * 2.0 ** ((48 - key) / 24)
    until_loop = first / zone.rate * 2.0 ** ((zone.root - key) / 12)
    hold = min(until_loop, LONGEST_HOLD_SECONDS)
    return f"{loop} ampeg_hold={hold:.3f} ampeg_decay={decay:.2f} ampeg_sustain=0"


def _fade(key: int, zone: Zone) -> str:
    """An envelope by which a sample that still sounds at its end has died away by then, or ""."""
    missing_db = _measure_end(zone) - FADED_DB
    if missing_db <= 0:
        return ""
    seconds = zone.seconds * 2.0 ** ((zone.root - key) / 12)
    hold = min(seconds / 4, LONGEST_HOLD_SECONDS)
    decay = (seconds - hold) * DECAY_DB / missing_db
    return f" ampeg_hold={hold:.3f} ampeg_decay={decay:.3f} ampeg_sustain=0"


def _measure_end(zone: Zone) -> float:
    """Level of the end of a sample in dB, relative to its beginning."""
    first, last = (
        np.sqrt(np.mean(np.square(part, dtype=np.float64)))
        for part in (
            zone.audio[: round(BEGINNING_SECONDS * zone.rate)],
            zone.audio[-round(END_SECONDS * zone.rate) :],
        )
    )
    return float(20 * np.log10((last + 1e-9) / (first + 1e-9)))
