"""The sound of a sketch, as samplers see the network that is told it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.told import ToldDenoiser
from msdm_cli.representations.envelope import impose
from msdm_cli.representations.sketch_agreement import agree
from msdm_cli.representations.sketch_draft import draft_sound
from msdm_cli.tasks.calls import WatchedDenoiser
from msdm_cli.tasks.join import bridge

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Draft:
    """How the draft of a stem is used.

    Attributes:
        level: Noise level above which it is the estimate.
        has_notes: Whether the stem has notes with harmonics.
    """

    level: float
    has_notes: bool = True


class SoundDenoiser:
    """A network that is told a sketch; its estimates are made to agree with it.

    Then they are moved to the envelope that the sketch stands for, if a network guesses one. A
    sketch knows pitches and has slow attacks, an envelope has fast attacks and knows no pitches.

    At high noise levels the estimate of some stems is a draft from oscillators, and the network
    gets it as known: it is asked for the other stems only. So the sampler reaches the low levels
    with that draft as if it had drawn it (SDEdit, arXiv 2108.01073), and from there on the network
    makes it sound. Oscillators and gains do not care for what is known: where it begins or ends, an
    estimate fades in after it (``bridge``).

    Args:
        denoiser: The network.
        told: What it is told, ``[1, S, BANDS + 1, frames]``.
        drafts: How drafts are used, by the index of the stem.
        first: Where the sketch begins in the piece, in samples.
        condition: What is known of the stems.
        envelope: What the sketch stands for, ``[S, ENVELOPE_BANDS, frames]``; None if nothing
            guesses it.
    """

    takes_mixture = False

    def __init__(
        self,
        denoiser: WatchedDenoiser,
        told: Samples,
        drafts: Mapping[int, Draft],
        first: int,
        condition: Condition,
        envelope: Array | None = None,
    ) -> None:
        self.shares_sigma = denoiser.shares_sigma
        self._watched = denoiser
        self._denoiser = ToldDenoiser(denoiser, told)
        self._sketch = told[0, :, :-1]
        self._uses = drafts
        self._first = first
        self._drafts: dict[int, Array] = {}
        self._condition = condition
        self._envelope = envelope

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems, ``[1, S, T], [1, S] -> [1, S, T]``."""
        drafted = [stem for stem, use in self._uses.items() if sigma[0, stem] > use.level]
        seen, levels = x.copy(), sigma.copy()
        for stem in drafted:
            seen[0, stem], levels[0, stem] = self._draft(stem), 0
        stems = seen[0]
        # What the network would say of drafts and of given stems is not used.
        asked = np.flatnonzero(levels[0])
        if len(asked):
            own = self._denoiser(seen, levels)[0]
            stems[asked] = self._move(own[asked], asked)
        else:
            self._watched.skip()
        known, values = self._condition.known, self._condition.values
        if known is not None and values is not None:
            for estimate, mask, truth in zip(stems, known[0], values[0], strict=True):
                bridge(estimate, mask, truth)
        return stems[None]

    def _draft(self, stem: int) -> Array:
        if stem not in self._drafts:
            has_notes = self._uses[stem].has_notes
            draft = draft_sound(self._sketch[stem], self._first, has_notes=has_notes)[None]
            if self._envelope is not None:
                row = np.array([stem])
                draft = self._move(impose(draft, self._envelope[row]), row)
            self._drafts[stem] = draft[0]
        return self._drafts[stem]

    def _move(self, sounds: Array, stems: NDArray[np.integer]) -> Array:
        """Sounds of so many stems, moved to the sketch and then to the envelope."""
        moved = agree(sounds, self._sketch[stems])
        return moved if self._envelope is None else impose(moved, self._envelope[stems])
