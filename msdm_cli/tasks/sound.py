"""The sound of a sketch, as a sampler sees what makes it."""

import numpy as np

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEP, impose
from msdm_cli.representations.sketch_agreement import agree
from msdm_cli.representations.sketch_draft import draft_sound
from msdm_cli.tasks.calls import WatchedDenoiser
from msdm_cli.tasks.join import bridge
from msdm_cli.tasks.tonality import UNPITCHED


class SoundMaker:
    """Makes a sound of a sketch, whatever noise it is asked to denoise.

    A draft from oscillators and noise is moved to the envelope that a network guesses, then to the
    sketch, then to the envelope again: a sketch knows pitches and has slow attacks, an envelope has
    fast attacks and knows no pitches. Oscillators do not care for what is known: where it begins or
    ends, the sound is faded in beside it (``bridge``).

    Args:
        network: Guesses the envelope.
        stems: Names of the stems.
        told: The sketch, and in a last row the size of its errors, ``[S, BANDS + 1, frames]``.
        first: Where the sketch begins in the piece, in samples.
        condition: What is known of the stems.
    """

    takes_mixture = False
    shares_sigma = False

    def __init__(
        self,
        network: WatchedDenoiser,
        stems: tuple[str, ...],
        told: Samples,
        first: int,
        condition: Condition,
    ) -> None:
        self._network = network
        self._stems = stems
        self._told = told
        self._first = first
        self._condition = condition

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """The sounds of stems whose sigma is not 0; the others stay as they are in ``x``.

        Shape:
            ``[1, S, T], [1, S] -> [1, S, T]``, T as long as the sketch
        """
        stems: Samples = x[0].copy()
        asked = np.flatnonzero(sigma[0])
        if len(asked):
            sketch = self._told[asked, :-1]
            envelope = self._guess(x.shape[2], sigma)[asked]
            drafts = np.stack([self._draft(stem) for stem in asked.tolist()])
            stems[asked] = impose(agree(impose(drafts, envelope), sketch), envelope)
        else:
            self._network.skip()
        known, values = self._condition.known, self._condition.values
        if known is not None and values is not None:
            for estimate, mask, truth in zip(stems, known[0], values[0], strict=True):
                bridge(estimate, mask, truth)
        return stems[None]

    def _guess(self, length: int, sigma: Samples) -> Samples:
        """The envelope of all stems, ``[S, ENVELOPE_BANDS, T / STEP]``."""
        frames = length // STEP
        unknown = np.zeros((1, len(self._stems), ENVELOPE_BANDS * frames), np.float32)
        guessed = self._network(unknown, sigma, None, self._told[None])
        return guessed.reshape(len(self._stems), ENVELOPE_BANDS, frames)

    def _draft(self, stem: int) -> Samples:
        has_notes = self._stems[stem] not in UNPITCHED
        return draft_sound(self._told[stem, :-1], self._first, has_notes=has_notes)
