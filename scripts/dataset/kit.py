"""Plays a drum part on one kit, or on a kit that is mixed from several."""

from random import Random

import numpy as np

from scripts.dataset.instruments import render_timbre
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part
from scripts.dataset.timbres import Timbre, choose_timbre

SILENCE = 1e-5
GROUPS: dict[str, tuple[frozenset[int], float]] = {
    "kick": (frozenset((35, 36)), 0.9),
    "snare": (frozenset((37, 38, 39, 40)), 0.8),
    "hats": (frozenset((42, 44, 46)), 0.3),
    "cymbals": (frozenset((49, 51, 52, 53, 55, 57, 59)), 0.4),
    "toms": (frozenset((41, 43, 45, 47, 48, 50)), 0.75),
}
"""Groups of General MIDI drums that a mixed kit takes from different kits, and their peaks."""

PERCUSSION = "percussion"
PERCUSSION_PEAK = 0.35


def render_kit(
    part: Part, duration_seconds: float, timbres: list[Timbre], rng: Random
) -> tuple[np.ndarray, list[str]]:
    """The drums on one kit, or half of the time on up to three: ``[T]``, and their names.

    Groups of drums are balanced here wherever kits mix, and for kits of one-shots, which come as
    loud as they can be.
    """
    cents = rng.gauss(0.0, 120.0) if rng.random() < 0.6 else 0.0
    first = choose_timbre(rng, timbres)
    single = rng.random() < 0.5
    if single and first.kind == "soundfont":
        return render_timbre(part, duration_seconds, first, cents, rng), [first.name]
    others = 0 if single else rng.choice((1, 1, 2))
    kits = [first, *(choose_timbre(rng, timbres) for _ in range(others))]
    owners = {group: rng.randrange(len(kits)) for group in (*GROUPS, PERCUSSION)}
    audio = np.zeros(round(duration_seconds * SAMPLE_RATE_HZ), dtype=np.float32)
    for name, (notes, peak) in _group(part.notes).items():
        if notes:
            # Not every kit has every percussion.
            for kit in (kits[owners[name]], *kits):
                sound = render_timbre(Part(notes), duration_seconds, kit, cents, rng)
                highest = float(np.abs(sound).max())
                if highest > SILENCE:
                    gain = peak * 10.0 ** (rng.uniform(-4.0, 4.0) / 20.0) / highest
                    audio += sound * np.float32(gain)
                    break
    return audio, sorted({kits[owner].name for owner in owners.values()})


def _group(notes: list[Note]) -> dict[str, tuple[list[Note], float]]:
    """Notes and peak of each group of drums; percussion is what belongs to none."""
    groups = {
        name: ([note for note in notes if note.pitch in drums], peak)
        for name, (drums, peak) in GROUPS.items()
    }
    grouped = frozenset().union(*(drums for drums, _ in GROUPS.values()))
    rest = [note for note in notes if note.pitch not in grouped]
    return {**groups, PERCUSSION: (rest, PERCUSSION_PEAK)}
