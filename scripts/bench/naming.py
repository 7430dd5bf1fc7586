"""What becomes of the names of guitar and piano where both sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.si_sdr import HOP_SECONDS, WINDOW_SECONDS, is_active, si_sdr

PAIR = ("guitar", "piano")


@dataclass(frozen=True)
class Naming:
    """What became of the names in a window in which guitar and piano both sound.

    Attributes:
        as_is: Mean SI-SDRi of the two, in dB.
        crossed: The same with the two names swapped.
        one_stem: SI-SDRi of their sum, in dB.
        shares: How much of a true stem (row) an estimate (column) has, ``[S, S]``; the rows of
            silent stems are NaN.
    """

    as_is: float
    crossed: float
    one_stem: float
    shares: NDArray[np.float64]

    @property
    def swapped(self) -> float:
        """SI-SDRi of the two if the window might swap their names, in dB."""
        return max(self.as_is, self.crossed)


def name_windows(
    estimate: Samples, stems: Samples, names: Sequence[str], rate: int
) -> list[Naming]:
    """The whole windows of 4 s of a song in which guitar and piano both sound.

    Shape:
        ``[S, T], [S, T] -> [windows]``
    """
    pair = [names.index(name) for name in PAIR]
    return [
        name_window(estimate[:, window], stems[:, window], pair)
        for window in list_windows(stems.shape[-1], rate)
        if is_active(stems[pair, window]).all()
    ]


def list_windows(length: int, rate: int) -> list[slice]:
    """The whole windows of 4 s in so many samples, one every 2 s; less than 4 s is one window."""
    size = WINDOW_SECONDS * rate
    starts = range(0, max(1, length - size + 1), HOP_SECONDS * rate)
    return [slice(start, start + size) for start in starts]


def name_window(estimate: Samples, stems: Samples, pair: list[int]) -> Naming:
    """One window, ``[S, T], [S, T]``; ``pair`` are the stems that may swap their names."""
    mixture = stems.sum(0)
    true = stems[pair]
    found = estimate[pair]
    before = si_sdr(np.broadcast_to(mixture, true.shape), true)
    straight = float((si_sdr(found, true) - before).mean())
    crossed = float((si_sdr(found[::-1], true) - before).mean())
    one_stem = si_sdr(found.sum(0), true.sum(0)) - si_sdr(mixture, true.sum(0))
    shares = find_shares(estimate, stems)
    return Naming(straight, crossed, float(one_stem), shares)


def find_shares(estimate: Samples, stems: Samples) -> NDArray[np.float64]:
    """Factors of the stems that make up the estimates, by least squares.

    Shape:
        ``[S, T], [S, T] -> [S, S]``: stem, estimate
    """
    shares = np.full((len(stems), len(stems)), np.nan)
    sounding = is_active(stems)
    true = stems[sounding].astype(np.float64)
    shares[sounding] = np.linalg.lstsq(true.T, estimate.T.astype(np.float64), rcond=None)[0]
    return shares
