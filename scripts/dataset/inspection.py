"""Inspects an instrument of zones, and writes it as SFZ in tune if it is good."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scripts.dataset.copies import take_prints
from scripts.dataset.sfz import write_sfz
from scripts.dataset.timbres import DRIVEN_PROGRAMS
from scripts.dataset.tuning import measure_pitch, sound_as_written, tune_all
from scripts.dataset.zone_loops import mend_loop
from scripts.dataset.zones import Zone, assign_keys, find_compass, name_stem, read_zones

WAVE_SECONDS = 0.03
"""A sample as short as this is one turn of an oscillator, and no instrument."""

LEAST_COMPASS = {"bass": 18, "guitar": 24, "piano": 30}
"""Keys that an instrument must play."""

LOWEST_GUITAR_KEY = 45
"""At which a guitar must begin: the low notes of chords would move up among the high ones."""

SHORT_SECONDS = 0.4
BRIEF_SECONDS = 1.0
UNCLEAR = 0.5


@dataclass(frozen=True)
class Inspection:
    """What is known of an instrument.

    Attributes:
        name: Its folder.
        program: Its General MIDI program.
        compass: Lowest and highest key.
        zones: Number of its zones.
        wrong_notes: How many sound another note than stated.
        corrected_cents: The largest correction of a pitch, besides octaves.
        problem: Why it is left out, or "".
    """

    name: str
    program: int
    compass: tuple[int, int]
    zones: int
    wrong_notes: int
    corrected_cents: float
    problem: str = ""

    @property
    def stem(self) -> str:
        """The stem that it plays."""
        return name_stem(self.program)

    def to_json(self) -> dict[str, Any]:
        """Its attributes."""
        return asdict(self)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Inspection":
        """The inspection whose attributes are given."""
        low, high = entry["compass"]
        return cls(**{**entry, "compass": (low, high)})


def prepare(folder: Path, out: Path) -> tuple[Inspection, np.ndarray]:
    """Inspect an instrument, and write it to a folder of its name in ``out`` if it is good.

    Returns:
        What is known of it, and its prints ``[zones, PRINT_SAMPLES]``: none if it is not good.
    """
    zones = read_zones(folder)
    whole = [zone for zone in zones if zone.loop or zone.seconds > WAVE_SECONDS]
    written = sound_as_written(whole)
    right = tune_all(written)
    program = int(folder.name[:3])
    keys = assign_keys([mend_loop(zone) for zone in right])
    low, high = find_compass(keys, name_stem(program))
    played = {key: keys[key] for key in range(low, high + 1) if key in keys}
    inspection = Inspection(
        name=folder.name,
        program=program,
        compass=(low, high),
        zones=len(zones),
        wrong_notes=len(whole) - len(right),
        corrected_cents=_measure_correction(written, right),
    )
    problem = find_problem(inspection, list(played.values()))
    if problem:
        return replace(inspection, problem=problem), take_prints(())
    (out / folder.name).mkdir(parents=True, exist_ok=True)
    write_sfz(played, program, out / folder.name)
    # Several keys may play one zone.
    return inspection, take_prints({id(zone): zone for zone in played.values()}.values())


def _measure_correction(stated: Sequence[Zone], measured: Sequence[Zone]) -> float:
    """The largest correction of a root, in cents."""
    roots = {id(zone.audio): zone.root for zone in stated}
    corrections = [abs(zone.root - roots[id(zone.audio)]) for zone in measured]
    return round(100 * float(max(corrections, default=0.0)), 1)


def find_problem(inspection: Inspection, played: Sequence[Zone]) -> str:
    """Why an instrument is no good, or ""; ``played`` is the zone of each key."""
    low, high = inspection.compass
    if 3 * inspection.wrong_notes > inspection.zones:
        wrong = f"{inspection.wrong_notes} of {inspection.zones}"
        return f"{wrong} samples sound another note than stated"
    high_guitar = inspection.stem == "guitar" and low > LOWEST_GUITAR_KEY
    if high - low + 1 < LEAST_COMPASS[inspection.stem] or high_guitar:
        return f"plays only the keys {low} to {high}"
    if inspection.stem != "bass" and max(zone.seconds for zone in played) < WAVE_SECONDS:
        return "has single waves only"
    unlooped = [zone.seconds for zone in played if zone.loop is None]
    if 2 * sum(seconds < SHORT_SECONDS for seconds in unlooped) > len(played):
        return "most samples are too short, and their loops do not meet"
    brief = sum(seconds < BRIEF_SECONDS for seconds in unlooped)
    if inspection.stem == "piano" and 2 * brief > len(played):
        return "most notes end within a second"
    some = played[::4]
    unclear = sum(measure_pitch(zone).clarity < UNCLEAR for zone in some)
    if inspection.program not in DRIVEN_PROGRAMS and 4 * unclear > len(some):
        return "many samples have no clear pitch"
    return ""
