"""The sound of a sketch, as samplers see the network that is told it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.told import TellableDenoiser, ToldDenoiser
from msdm_cli.representations.sketch_agreement import agree
from msdm_cli.representations.sketch_draft import draft_sound

Array = NDArray[np.float32]

LEAD = 1024
"""Samples on either side of a join that are the network's; over as many more it fades out."""


class SoundDenoiser:
    """A network that is told a sketch; its estimates are made to agree with it.

    At high noise levels the estimate of some stems is a draft from oscillators, and the network
    gets it as known: it is asked for the other stems only. So the sampler reaches the low levels
    with that draft as if it had drawn it (SDEdit, arXiv 2108.01073), and from there on the network
    makes it sound. Where known music begins or ends, the sound must go on, which oscillators and
    gains do not care for: there the network leads over from one to the other.

    Args:
        denoiser: The network.
        told: What it is told, ``[1, S, BANDS + 1, frames]``.
        drafts: Level above which the estimate of a stem is a draft, by the index of the stem.
        first: Where the sketch begins in the piece, in samples.
        known: Which samples are known, ``[S, T]``.
    """

    takes_mixture = False

    def __init__(
        self,
        denoiser: TellableDenoiser,
        told: Samples,
        drafts: Mapping[int, float],
        first: int,
        known: NDArray[np.bool_],
    ) -> None:
        self.shares_sigma = denoiser.shares_sigma
        self._denoiser = ToldDenoiser(denoiser, told)
        self._sketch = told[0, :, :-1]
        self._levels = drafts
        self._first = first
        self._drafts: dict[int, Array] = {}
        self._leads = np.stack([find_lead(stem) for stem in known])

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems, ``[1, S, T], [1, S] -> [1, S, T]``."""
        drafted = [stem for stem, level in self._levels.items() if sigma[0, stem] > level]
        seen, levels = x.copy(), sigma.copy()
        for stem in drafted:
            if not self._leads[stem].any():
                seen[0, stem], levels[0, stem] = self._draft(stem), 0
        own = self._denoiser(seen, levels)[0]
        stems = agree(own, self._sketch)
        for stem in drafted:
            stems[stem] = self._draft(stem)
        led: Samples = stems + self._leads * (own - stems)
        return led[None]

    def _draft(self, stem: int) -> Array:
        if stem not in self._drafts:
            self._drafts[stem] = draft_sound(self._sketch[stem], self._first)
        return self._drafts[stem]


def find_lead(known: NDArray[np.bool_]) -> Array:
    """How much of an estimate is the network's: 1 where known music begins or ends, ``[T]``."""
    joins = np.flatnonzero(known[1:] != known[:-1]) + 1
    if not len(joins):
        return np.zeros(len(known), np.float32)
    places = np.arange(len(known))
    distance = abs(places[:, None] - joins).min(1)
    return np.clip(2 - distance / LEAD, 0, 1).astype(np.float32)
