"""Joins: an estimate goes on from what is known, without a step, a kink or a pulse.

The known samples are extrapolated by linear prediction, whose coefficients are those of Burg's
method (Burg 1975, "Maximum entropy spectral analysis"): it is stable, so a tone goes on and dies
away, and noise ends. The estimate is faded in under it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FADE = 128
"""Samples, 6 ms, in which what is known fades into the estimate. A longer fade dips in noise."""

HEARD = 2048
"""Known samples that are extrapolated from, at most."""

ORDER = 32


def bridge(estimate: Array, known: NDArray[np.bool_], values: Array) -> None:
    """Have an estimate, in place, go on from known samples on either side.

    Args:
        estimate: The estimate; where samples are known it does not count.
        known: Where samples are known.
        values: The known samples.

    Shape:
        ``[T], [T], [T]``
    """
    for join in np.flatnonzero(known[1:] != known[:-1]) + 1:
        if known[join]:
            _fade(estimate[:join][::-1], known[join:], values[join:])
        else:
            _fade(estimate[join:], known[:join][::-1], values[:join][::-1])


def _fade(estimate: Array, known: NDArray[np.bool_], before: Array) -> None:
    """Fade an estimate in, in place, after what is before it, which is given backwards."""
    unknown = np.flatnonzero(~known[:HEARD])
    heard = before[: unknown[0] if len(unknown) else HEARD]
    count = min(FADE, len(estimate))
    faded = np.cos(np.pi / 2 * np.arange(count) / FADE) ** 2
    expected = extrapolate(heard[::-1], count)
    estimate[:count] += (faded * (expected - estimate[:count])).astype(np.float32)


def extrapolate(samples: Array, count: int) -> NDArray[np.float64]:
    """The next samples by linear prediction, ``[T] -> [count]``."""
    coefficients = find_coefficients(samples.astype(np.float64))
    order = len(coefficients)
    going_on: NDArray[np.float64] = np.zeros(order + count)
    going_on[:order] = samples[len(samples) - order :]
    for place in range(order, order + count):
        going_on[place] = coefficients @ going_on[place - order : place][::-1]
    return going_on[order:]


def find_coefficients(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of linear prediction by Burg's method, that of the last sample first."""
    forward, backward = samples[1:], samples[:-1]
    coefficients: NDArray[np.float64] = np.zeros(0)
    for _ in range(min(ORDER, len(samples) // 3)):
        energy = float(forward @ forward + backward @ backward)
        reflection = 2 * float(forward @ backward) / energy if energy else 0.0
        coefficients = np.append(coefficients - reflection * coefficients[::-1], reflection)
        forward, backward = (
            (forward - reflection * backward)[1:],
            (backward - reflection * forward)[:-1],
        )
    return coefficients
