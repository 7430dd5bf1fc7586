"""Sketches of sounds, as the network that guesses their envelopes will be told them.

Told sketches are not the true ones: they pass through the codes of the prior over sketches, and get
noise of a random size (conditioning augmentation, arXiv 2106.15282), or the prior draws them again.
The network is told how wrong they are.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.representations.envelope import STEP, find_envelope
from msdm_cli.representations.sketch import MARGIN, find_sketch
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN, SketchCodes, load_codes
from scripts.train.corpus import Augmentation, Corpus
from scripts.train.questions import draw_log_uniform
from scripts.train.redrawn import draw_again, open_prior

Array = NDArray[np.float32]

LARGEST_DEVIATION = 6.0
"""Noise on a component is in units of its deviation, but of no more than this, in bels."""


@dataclass(frozen=True)
class SketchBlur:
    """How wrong told sketches are.

    Attributes:
        blur: Largest noise on the components of a sketch, in their deviations.
        redrawn: How often the prior draws a sketch again instead.
        sigma_low: Smallest sigma of the log-uniform distribution that it begins at.
        sigma_high: Largest one.
    """

    blur: float = 0.4
    redrawn: float = 0.25
    sigma_low: float = 0.5
    sigma_high: float = 3.0
    # The prior has codes for all stems.
    relates = True


def blur(codes: SketchCodes, sketch: Array, noise: Array, size: float) -> Array:
    """A sketch through codes, with noise on them.

    Args:
        codes: The codes.
        sketch: True one, ``[S, bands, frames]``.
        noise: Unit noise, ``[S, tokens, K]``.
        size: Of the noise, in deviations of the components.

    Shape:
        ``-> [S, bands, frames]``
    """
    scale = np.minimum(np.sqrt(codes.variance), LARGEST_DEVIATION)[:, None]
    return codes.decode(codes.encode(sketch) + size * (noise * scale).reshape(len(sketch), -1))


@cache
def open_codes(path: str) -> SketchCodes:
    """The codes that a file of weights holds."""
    return load_codes(Path(path))


def tell(sketch: Array, true: Array) -> Array:
    """What the network is told of a sketch: the sketch, and the size of its errors in bels.

    Shape:
        ``[S, bands, frames] -> [S, bands + 1, frames]``
    """
    error = np.sqrt(np.square(sketch - true).mean((1, 2), keepdims=True))
    row = np.broadcast_to(error, (len(sketch), 1, sketch.shape[2]))
    return np.concatenate((sketch, row), 1).astype(np.float32)


def draw_envelope_item(
    corpus: Corpus,
    prior: str,
    questions: SketchBlur,
    augmentation: Augmentation,
    rng: np.random.Generator,
    length: int,
) -> tuple[Array, Array]:
    """What is told of a crop, and its envelope.

    Args:
        corpus: The songs.
        prior: Weights of a prior over sketches, a file. Sketches pass through its codes.
        questions: How wrong sketches are.
        augmentation: What happens to the crop.
        rng: Decides everything.
        length: Of the crop, in samples.

    Shape:
        ``-> [S, bands + 1, frames], [S, ENVELOPE_BANDS, T / STEP]``
    """
    around = corpus.augmented(rng, length + 2 * MARGIN, augmentation)
    codes = open_codes(prior)
    if rng.random() < questions.redrawn:
        true = find_sketch(around)
        sigma = draw_log_uniform(rng, questions.sigma_low, questions.sigma_high)
        drawn = draw_again(open_prior(prior), codes.encode(true), sigma, rng)
        told = tell(codes.decode(drawn), true)
    else:
        told = draw_told(around, codes, rng, rng.random() * questions.blur)
    return told, cut_envelope(around)


def cut_envelope(around: Array) -> Array:
    """The envelope of stems that have margins, without these."""
    return find_envelope(around)[..., MARGIN // STEP : -MARGIN // STEP]


def draw_told(around: Array, codes: SketchCodes, rng: np.random.Generator, size: float) -> Array:
    """What is told of stems with their margins, with noise of some size."""
    true = find_sketch(around)
    tokens = true.shape[2] // FRAMES_PER_TOKEN
    noise = rng.standard_normal((len(true), tokens, codes.numbers), dtype=np.float32)
    return tell(blur(codes, true, noise, size), true)
