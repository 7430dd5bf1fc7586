"""The last step before stems are written: gain, rounding, and what was found on the way."""

import math
from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_writer import Block
from msdm_cli.audio.formats import Subtype
from msdm_cli.audio.mix import Gains, mix, round_mix
from msdm_cli.audio.quantise import quantise_to_sum

MIXTURE = "mixture"
RESIDUAL = "residual"
"""What the model cannot hear, as a stem of its own."""
MARGIN_UNITS = 4
"""Least distance from full scale, in units of the subtype, that is left to rounding."""

Signal = NDArray[np.float32] | NDArray[np.float64]


class Finish(Protocol):
    """Makes blocks of stems ready to be written, and measures them.

    Attributes:
        gain: Factor on what is written.
        clipped: Samples that were clipped here.
        stay: Stems that stay as they are, whatever the gain.
        mixture_only: Whether the gain is on the mixture alone, and its stems stay as they are.
        exact: Whether the stems sum to the mixture, to the last bit.
        null_db: Level of what they leave of it, relative to it; None if nothing, or if it is not
            measured.
    """

    gain: float
    clipped: int
    stay: tuple[str, ...]
    mixture_only: bool

    @property
    def exact(self) -> bool:
        """Whether the stems sum to the mixture, to the last bit."""
        ...

    @property
    def null_db(self) -> float | None:
        """Level of what the stems leave of the mixture, relative to it, in dB."""
        ...

    def apply(self, stems: Mapping[str, Signal], mixture: Signal) -> dict[str, Block]:
        """What is written, by name, ``[C, n]`` each."""
        ...

    def fit(self) -> "Finish | None":
        """After all blocks without a gain: one with the gain at which nothing clips, if need be."""
        ...


class SumFinish:
    """For stems that sum to a mixture: they still do after rounding.

    Args:
        subtype: How samples are stored.
        gain: Factor on stems and mixture.
        mixes: Gains of further mixes, by name. They are made of the rounded stems: what a mix
            leaves out is, to the last bit, what it lacks of the mixture.
    """

    stay: tuple[str, ...] = ()
    mixture_only = False

    def __init__(
        self, subtype: Subtype, gain: float = 1.0, mixes: Mapping[str, Gains] | None = None
    ) -> None:
        self.gain = gain
        self.peak = 0.0
        self.clipped = 0
        self._subtype = subtype
        self._mixes = dict(mixes or {})
        self._margin = float(MARGIN_UNITS)
        self._left = 0.0
        self._energy = 0.0

    @property
    def exact(self) -> bool:
        """Whether the stems sum to the mixture, to the last bit."""
        return not self._subtype.lossy and not self._left

    @property
    def null_db(self) -> float | None:
        """Level of what the stems leave of the mixture, relative to it, in dB."""
        if self._subtype.lossy or not self._left or not self._energy:
            return None
        return 10 * math.log10(self._left / self._energy)

    def apply(self, stems: Mapping[str, Signal], mixture: Signal) -> dict[str, Block]:
        """The stems as integers of the subtype that sum to the mixture's, or as floats; mixes."""
        stacked = np.stack([np.asarray(stem, np.float64) for stem in stems.values()])
        self.peak = max(self.peak, float(np.abs(stacked).max(initial=0)))
        self._measure_mixes(dict(zip(stems, stacked, strict=True)))
        scaled = self.gain * stacked
        target = self.gain * np.asarray(mixture, np.float64)
        bits = self._subtype.bits
        values: Block
        if bits in (16, 24):
            values, clipped = quantise_to_sum(scaled, target, bits)
            self.clipped += clipped
            scale = 1 << (bits - 1)
            left = (values.astype(np.int64).sum(0) >> (32 - bits)) - np.rint(target * scale)
            self._left += float(np.square(left / scale).sum())
        else:
            values = scaled.astype(np.float32)
            left = values.sum(0, dtype=np.float64) - target
            self._left += float(np.square(left).sum())
        self._energy += float(np.square(target).sum())
        return self._add_mixes(dict(zip(stems, values, strict=True)))

    def fit(self) -> "SumFinish | None":
        """After all blocks without a gain: one with the gain at which nothing clips, if need be."""
        gain = fit_gain(self.peak, self._subtype, self._margin)
        return None if gain == 1 else SumFinish(self._subtype, gain, self._mixes)

    def _measure_mixes(self, stems: Mapping[str, Signal]) -> None:
        """Note how loud mixes are before their stems are rounded.

        Rounded stems may have been clipped, and make a softer mix.
        """
        for gains in self._mixes.values():
            self.peak = max(self.peak, float(np.abs(mix(stems, gains)).max(initial=0)))
            # Rounding moves no stem by more than a unit.
            self._margin = max(self._margin, sum(gains.get(name, 1.0) for name in stems))

    def _add_mixes(self, stems: dict[str, Block]) -> dict[str, Block]:
        written = dict(stems)
        for name, gains in self._mixes.items():
            mixed = mix(stems, gains)
            self.peak = max(self.peak, float(np.abs(mixed).max(initial=0)) / self.gain)
            written[name], clipped = round_mix(mixed, self._subtype)
            self.clipped += clipped
        return written


class ScaleFinish:
    """For stems and a mixture that are written beside each other.

    Args:
        subtype: How samples are stored.
        gain: Factor on the mixture, and on the stems that do not stay unless ``mixture_only``.
        stay: Stems that stay as they are. Where there are some, the gain is on the mixture alone,
            unless another stem would clip itself.
        mixture_only: Whether all stems stay as they are; by default, whether any does.
    """

    exact = False
    null_db = None

    def __init__(
        self,
        subtype: Subtype,
        gain: float = 1.0,
        stay: Collection[str] = (),
        *,
        mixture_only: bool | None = None,
    ) -> None:
        self._subtype = subtype
        self._peaks: dict[str, float] = {}
        self.gain = gain
        self.clipped = 0
        self.stay = tuple(stay)
        self.mixture_only = bool(stay) if mixture_only is None else mixture_only

    def apply(self, stems: Mapping[str, Signal], mixture: Signal) -> dict[str, Block]:
        """The stems and the mixture, as integers of the subtype or as floats."""
        written = {}
        for name, signal in {**stems, MIXTURE: mixture}.items():
            exact = np.asarray(signal, np.float64)
            peak = float(np.abs(exact).max(initial=0))
            self._peaks[name] = max(self._peaks.get(name, 0.0), peak)
            if name == MIXTURE or not (self.mixture_only or name in self.stay):
                exact = self.gain * exact
            written[name], clipped = round_mix(exact, self._subtype)
            self.clipped += clipped
        return written

    def fit(self) -> "ScaleFinish | None":
        """After all blocks without a gain: one with the gain at which nothing clips, if need be."""
        mixture = self._peaks.get(MIXTURE, 0.0)
        others = [peak for name, peak in self._peaks.items() if name not in (MIXTURE, *self.stay)]
        new = max(others, default=0.0)
        # A new stem that clips is spoiled; softer, it can be made louder again.
        mixture_only = self.mixture_only and new <= 1
        gain = fit_gain(mixture if mixture_only else max(mixture, new), self._subtype)
        if gain == 1:
            return None
        return ScaleFinish(self._subtype, gain, self.stay, mixture_only=mixture_only)


def fit_gain(peak: float, subtype: Subtype, margin: float = MARGIN_UNITS) -> float:
    """Gain that brings a peak within full scale; 1 for floats, which have no full scale.

    Args:
        peak: Largest magnitude of a sample.
        subtype: How samples are stored.
        margin: Distance that is kept from full scale, in units of the subtype.
    """
    if subtype.floating or peak <= 1:
        return 1.0
    return (1 - margin * subtype.unit) / peak
