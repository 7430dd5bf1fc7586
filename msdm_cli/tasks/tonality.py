"""Keys: how much each pitch class counts in one, and sketches that lean towards it.

A prior that has seen few songs hardly heeds the key that it is told. So its estimates of the sketch
are moved, as by classifier guidance (Dhariwal and Nichol 2021, arXiv 2105.05233): notes of the key
become louder, others softer. Where noise is strong this decides which notes are drawn; where it is
weak, nothing is moved.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import FreeDenoiser, Samples
from msdm_cli.representations.sketch import BANDS
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN, SketchCodes
from msdm_cli.tasks.controls import NOTES, read_key

UNPITCHED = ("drums",)
"""Stems without notes."""

PITCH_CLASS = (np.arange(BANDS) + NOTES.index("E")) % 12
NOTE_BANDS = 64
"""Bands whose semitones the windows of a sketch tell apart: up to 1.6 kHz."""

PROFILES = {
    "major": (17.77, 0.15, 14.93, 0.16, 19.80, 11.36, 0.29, 22.06, 0.15, 8.15, 0.23, 4.95),
    "minor": (18.26, 0.74, 14.05, 16.86, 0.70, 14.44, 0.70, 18.62, 4.57, 1.93, 7.38, 1.76),
}
"""How much each pitch class counts in a key, from its tonic on.

Source: Aarden 2003, "Dynamic melodic expectancy", from the songs of the Essen collection. Of the
songs that trained the embedded model, Krumhansl's profiles get a tenth less right."""

STRENGTH = {"impute": 0.3, "generate": 0.5}
"""By task, in bels, of a profile of variance 1. Less misses keys; more holds chords still. Without
fresh noise in its steps, as music is generated, the sampler needs more."""

HALF_SIGMA = 3.0
"""Sigma, in units of the codes, at which an estimate is moved by half as much. Were it larger,
notes would be drawn before the key counts."""


def find_lean(
    codes: SketchCodes, key: str, stems: tuple[str, ...], strength: float
) -> NDArray[np.float32]:
    """How sketches of stems differ in a key from those in none, as a token's codes, ``[S, K]``.

    Args:
        codes: The codes of sketches.
        key: A note and a mode.
        stems: Names of the stems.
        strength: How much, in bels.
    """
    tonic, minor = read_key(key)
    profile = np.array(PROFILES["minor" if minor else "major"])
    bands = ((profile - profile.mean()) / profile.std())[(PITCH_CLASS - tonic) % 12]
    bands[NOTE_BANDS:] = 0
    token = np.repeat(strength * bands, FRAMES_PER_TOKEN)
    has_notes = np.array([name not in UNPITCHED for name in stems])
    lean: NDArray[np.float32] = (token @ codes.basis).astype(np.float32)
    return lean * has_notes[:, None]


class LeaningDenoiser:
    """Moves the estimates of a prior over sketches.

    ``D'(x, sigma) = D(x, sigma) + sigma^2 / (sigma^2 + HALF_SIGMA^2) lean``

    Args:
        denoiser: The prior.
        lean: What is added to each token, ``[S, K]``.
    """

    takes_mixture = False

    def __init__(self, denoiser: FreeDenoiser, lean: NDArray[np.floating[Any]]) -> None:
        self.shares_sigma = denoiser.shares_sigma
        self._denoiser = denoiser
        self._lean = lean

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean codes, ``[B, S, tokens * K], [B, S] -> [B, S, tokens * K]``."""
        estimate = self._denoiser(x, sigma, mixture)
        power = np.square(sigma)
        share = (power / (power + HALF_SIGMA**2))[..., None]
        tokens = x.shape[2] // self._lean.shape[1]
        moved: Samples = estimate + share * np.tile(self._lean, tokens)
        return moved

    def free(self, x: Samples, sigma: Samples) -> Samples:
        """The prior's own estimate, ``[B, S, tokens * K], [B, S] -> [B, S, tokens * K]``."""
        return self._denoiser.free(x, sigma)
