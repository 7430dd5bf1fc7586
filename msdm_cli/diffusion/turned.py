"""Answers of a network to stereo music turned by several angles.

A network that hears one channel at a time never learns where in the stereo image a stem is. But
each channel ``cos(t) L + sin(t) R`` is another mixture of the stems: a bass in the centre is not in
``L - R`` at all, and a guitar on the left not in ``R``. Music turned by an angle ``t`` has two such
channels,

    H_t (L, R),  H_t = [[cos t, sin t], [-sin t, cos t]]

and an eighth of a circle gives middle and sides. The stems of turned music, turned back, estimate
the same stems. An estimate is good in a channel in which its stem is nearly alone. If the stem has
power p there, and all stems together q, and all are independent and Gaussian, the best estimate
has an error of variance

    u = p (q - p) / q

(Wiener filter; Kay, Estimation Theory, 1993, chapter 12). So the estimate ``s_t`` of left and right
has errors of the precision ``P_t = H_t^T diag(1/u_1, 1/u_2) H_t``, and the best mean of all is

    s = (sum P_t)^-1 sum P_t s_t

(least squares, chapter 4), as if all errors were independent. They are not quite, since all come
from the same stems. p and q are powers of the estimates, in tiles of their transforms.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.stft import Stft, Transform

ANGLES = (0.0, math.pi / 4, math.pi / 8, 3 * math.pi / 8)
"""Angles by which the music is turned, of successive answers."""

N_FFT = 2048
HOP = 1024
TILE = (16, 32)
"""Frames and bins whose powers are taken together: 0.7 s and 340 Hz at 22 050 Hz."""

LEAST_ERROR = 0.003
"""Least error of an estimate, in powers of its channel in the tile: no network is perfect."""

LEAST_POWER = 1e-9
"""Added to all errors, in mean powers of the chunk: in silence all estimates are alike. It is so
small that a channel without sound stays so."""

Tiles = NDArray[np.float64]
Stereo = TypeVar("Stereo", Samples, Transform)


class TurnedDenoiser:
    """A denoiser that gets stereo music turned.

    Args:
        denoiser: The network.
        angle: By which it is turned.
    """

    def __init__(self, denoiser: Denoiser, angle: float) -> None:
        self.denoiser = denoiser
        self.angle = angle
        self.takes_mixture = denoiser.takes_mixture
        self.shares_sigma = denoiser.shares_sigma

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems of left and right, which have the same noise levels.

        Shape:
            ``[2, S, T], [2, S], [2, T] -> [2, S, T]``
        """
        heard = None if mixture is None else turn(mixture, self.angle)
        return turn(self.denoiser(turn(x, self.angle), sigma, heard), -self.angle)


def is_stereo(mixture: Samples | None) -> bool:
    """Whether music has two channels that are not the same, ``[B, T]``.

    Of songs with more channels, each pair that the network gets at once counts as stereo.
    """
    if mixture is None or len(mixture) != 2:
        return False
    return not np.array_equal(mixture[0], mixture[1])


def turn(pair: Stereo, angle: float) -> Stereo:
    """Turn left and right by an angle, ``[2, ...] -> [2, ...]``."""
    if angle == 0:
        return pair
    cosine, sine = math.cos(angle), math.sin(angle)
    turned: Stereo = np.stack(
        (cosine * pair[0] + sine * pair[1], cosine * pair[1] - sine * pair[0])
    )
    return turned


def combine(estimates: Sequence[Samples], angles: Sequence[float]) -> Samples:
    """The best mean of estimates of left and right of the stems.

    Args:
        estimates: Left and right, ``[2, S, T]`` each, from music turned by as many angles.
        angles: These angles.

    Returns:
        Stems ``[2, S, T]``. They need not sum to the music, even if all estimates do.
    """
    length = estimates[0].shape[-1]
    padding = [(0, 0), (0, 0), (0, -length % HOP)]
    stft = Stft(N_FFT, HOP)
    transforms = [stft(np.pad(estimate, padding)) for estimate in estimates]
    precisions = [find_precision(*pair) for pair in zip(transforms, angles, strict=True)]
    left, both, right = np.sum(precisions, 0)
    determinant = left * right - np.square(both)
    # Of symmetric matrices three entries are kept: that of row r and column c is number r + c.
    inverse = right / determinant, -both / determinant, left / determinant
    change = np.zeros_like(transforms[0])
    for transform, precision in zip(transforms[1:], precisions[1:], strict=True):
        difference = transform - transforms[0]
        for row, column in np.ndindex(2, 2):
            share = sum(inverse[row + k] * precision[k + column] for k in range(2))
            change[row] += spread(share, difference) * difference[column]
    return estimates[0] + stft.inverse(change)[..., :length]


def find_precision(estimate: Transform, angle: float) -> tuple[Tiles, Tiles, Tiles]:
    """Entries of the symmetric ``P`` of an estimate of left and right: LL, LR and RR.

    Shape:
        ``[2, S, frames, bins] -> [S, tiles in time, tiles in frequency]`` each
    """
    heard = turn(estimate, angle)
    p = average_tiles(np.square(heard.real) + np.square(heard.imag))
    q = p.sum(1, keepdims=True)
    tiny = np.finfo(np.float32).tiny
    least = LEAST_ERROR * q + LEAST_POWER * q.mean() + tiny
    first, second = 1 / (p * (q - p) / (q + tiny) + least)
    cosine, sine = math.cos(angle), math.sin(angle)
    return (
        cosine**2 * first + sine**2 * second,
        cosine * sine * (first - second),
        sine**2 * first + cosine**2 * second,
    )


def average_tiles(power: Samples) -> Tiles:
    """Means over tiles, ``[..., frames, bins] -> [..., tiles in time, tiles in frequency]``."""
    edges = [np.arange(0, size, tile) for size, tile in zip(power.shape[-2:], TILE, strict=True)]
    counts = [
        np.diff((*starts, size)) for starts, size in zip(edges, power.shape[-2:], strict=True)
    ]
    sums = np.add.reduceat(np.add.reduceat(power, edges[1], -1), edges[0], -2, dtype=np.float64)
    means: Tiles = sums / np.outer(*counts)
    return means


def spread(share: Tiles, transform: Transform) -> Samples:
    """Repeat a figure of each tile for its frames and bins, to ``[S, frames, bins]``."""
    frames, bins = transform.shape[2:]
    repeated = share.astype(transform.real.dtype).repeat(TILE[0], 1).repeat(TILE[1], 2)
    return repeated[:, :frames, :bins]
