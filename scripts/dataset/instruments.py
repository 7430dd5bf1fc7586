"""Plays a part on a timbre, whatever the timbre is made of."""

from dataclasses import replace
from random import Random

import numpy as np

from scripts.dataset.dx7 import render_dx7
from scripts.dataset.electric_piano import render_fm
from scripts.dataset.hydrogen import render_hydrogen
from scripts.dataset.machine import render_machine
from scripts.dataset.plucked import render_plucked
from scripts.dataset.sampled import render_sampled
from scripts.dataset.score import Part
from scripts.dataset.soundfont import render_soundfont
from scripts.dataset.struck import render_struck
from scripts.dataset.timbres import Timbre

COMPUTED = {
    "plucked": render_plucked,
    "struck": render_struck,
    "fm": render_fm,
    "dx7": render_dx7,
}
"""Instruments that are made of numbers, by the kind of their timbre."""


def render_timbre(
    part: Part, duration_seconds: float, timbre: Timbre, cents: float, rng: Random
) -> np.ndarray:
    """A part on one timbre, ``[T]`` float32, not normalised."""
    if timbre.delay_seconds or timbre.octaves:
        part = _compensated(part, timbre)
    if timbre.kind == "machine":
        return render_machine(part, duration_seconds, rng)
    if timbre.kind in COMPUTED:
        return COMPUTED[timbre.kind](part, duration_seconds, cents, rng)
    if timbre.path is None:
        raise ValueError(f"expected a path for the timbre {timbre.name}, got None")
    if timbre.kind == "soundfont":
        return render_soundfont(
            part, duration_seconds, timbre.path, timbre.preset, cents, timbre.ending
        )
    if timbre.kind == "sampled":
        return render_sampled(
            part, duration_seconds, timbre.path, timbre.compass, cents, timbre.ending
        )
    return render_hydrogen(part, duration_seconds, timbre.path, cents, rng)


def _compensated(part: Part, timbre: Timbre) -> Part:
    """The part with notes earlier and higher, so that a late and low timbre sounds as written."""
    notes = [
        replace(
            note,
            start_seconds=max(0.0, note.start_seconds - timbre.delay_seconds),
            pitch=note.pitch + 12 * timbre.octaves,
        )
        for note in part.notes
    ]
    return replace(part, notes=notes)
