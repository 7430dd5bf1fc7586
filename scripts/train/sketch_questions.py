"""What the prior over sketches is asked: noise levels of each stem at each token, and controls."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN
from msdm_cli.tasks.controls import count_features
from scripts.train.sketch_corpus import SketchAugmentation, SketchCorpus, find_playing

LEAST_QUANTILE = 1e-3


@dataclass(frozen=True)
class SketchQuestions:
    """Shares of the questions, and the sigmas they are asked at.

    What remains of the shares is the prior: all stems at one sigma.

    Attributes:
        independent: Every stem at a sigma of its own.
        impute: Some stems known, the others at one sigma.
        absent_beside: How often ``impute`` has an absent stem beside a noisy one.
        known_span: Probability that some of the tokens are known: what came before, what comes
            after, or both.
        log_mean: Mean of the logarithm of sigma.
        log_deviation: Its standard deviation.
    """

    independent: float = 0.15
    impute: float = 0.25
    absent_beside: float = 0.2
    known_span: float = 0.35
    log_mean: float = 1.4
    log_deviation: float = 1.6

    @property
    def relates(self) -> bool:
        """Whether any question needs more than one stem."""
        return self.impute > 0

    def draw(
        self, rng: np.random.Generator, stems: int, tokens: int, quantile: float
    ) -> NDArray[np.float64]:
        """Sigma of each stem and token, ``[S, tokens]``.

        Args:
            rng: Decides everything but the first sigma.
            stems: Number of stems.
            tokens: Number of tokens.
            quantile: Of the first sigma, from 0 to 1.
        """
        normal = NormalDist(self.log_mean, self.log_deviation)
        clipped = min(max(quantile, LEAST_QUANTILE), 1 - LEAST_QUANTILE)
        sigma = np.full(stems, np.exp(normal.inv_cdf(clipped)))
        kind = rng.random()
        if kind < self.independent:
            sigma[1:] = np.exp(rng.normal(self.log_mean, self.log_deviation, stems - 1))
        elif kind < self.independent + self.impute:
            order = rng.permutation(stems)
            sigma[order[: rng.integers(1, stems)]] = 0
            if rng.random() < self.absent_beside:
                sigma[order[-2]] = sigma[order[-1]]
                sigma[order[-1]] = np.inf
        levels = np.repeat(sigma[:, None], tokens, 1)
        if rng.random() < self.known_span:
            before, after = rng.integers(1, tokens * 3 // 4), rng.integers(1, tokens // 2)
            ends = rng.random()
            if ends < 0.85:
                levels[:, :before] = 0
            if ends > 0.7 and before + after < tokens:
                levels[:, tokens - after :] = 0
        return levels


def draw_sketch_item(
    corpus: SketchCorpus,
    questions: SketchQuestions,
    augmentation: SketchAugmentation,
    rng: np.random.Generator,
    shape: tuple[int, int],
    quantile: float,
) -> tuple[NDArray[Any], ...]:
    """A crop, its sigmas, its controls and its noise.

    Args:
        corpus: The songs.
        questions: Draws the sigmas.
        augmentation: What happens to the crop.
        rng: Decides everything.
        shape: Tokens, and numbers of a token's code.
        quantile: Of the first sigma.

    Shape:
        ``-> [S, bands, frames], [S, tokens], [tokens, controls], [S, tokens * K]``
    """
    tokens, numbers = shape
    crop = corpus.augmented(rng, tokens * FRAMES_PER_TOKEN, augmentation)
    stems = len(corpus.stems)
    told = describe_crop(crop, stems)
    if rng.random() < augmentation.untold:
        told[:, -stems:] = 0
    told[:, -stems:] *= rng.random(stems) >= augmentation.dropped
    sigma = questions.draw(rng, stems, tokens, quantile).astype(np.float32)
    noise = rng.standard_normal((stems, tokens * numbers), dtype=np.float32)
    return crop.sketch, sigma, told, noise


def describe_crop(crop: Any, stems: int) -> NDArray[np.float32]:
    """The controls of a crop in every token, with what plays, ``[tokens, controls]``."""
    playing = find_playing(crop.sketch)
    # A crop may begin within a token of the song.
    shifted = crop.first / FRAMES_PER_TOKEN
    told = crop.controls.describe(shifted, playing.shape[1], stems)
    assert told.shape[1] == count_features(stems)
    told[:, -stems:] = np.where(playing, 1, -1).T
    return told
