"""Checks the loops of zones."""

from dataclasses import replace

import numpy as np

from scripts.dataset.zones import SHORTEST_LOOP_SAMPLES, Zone

ALIKE = 0.9
"""Correlation from which two sounds count as the same."""

COMPARED_SECONDS = 0.01


def mend_loop(zone: Zone) -> Zone:
    """A zone whose loop meets itself without a step, or that has none if that cannot be had.

    Where the published end does not match, one within a period is looked for on both sides.
    """
    if zone.loop is None:
        return zone
    first, last = zone.loop
    length = last + 1 - first
    width = min(length, first, round(COMPARED_SECONDS * zone.rate))
    if width < SHORTEST_LOOP_SAMPLES:
        return zone
    ahead = zone.audio[first - width : first]
    slack = round(min(zone.rate / zone.hz, length / 4))
    ends = range(max(first + width, last + 1 - slack), min(last + 2 + slack, len(zone.audio) + 1))
    # What leads to the end must sound as what leads to the beginning.
    found = {end: correlate(ahead, zone.audio[end - width : end]) for end in ends}
    if found.get(last + 1, 0.0) > ALIKE:
        return zone
    end = max(found, key=lambda end: (found[end], -abs(end - 1 - last)), default=0)
    return replace(zone, loop=(first, end - 1) if found.get(end, 0.0) > ALIKE else None)


def correlate(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two sounds as they lie, ``[N], [N]``, from -1 to 1."""
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-9))
