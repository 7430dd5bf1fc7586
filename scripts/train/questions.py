"""The questions a network is trained on: a batch mixes separation, imputation and the prior."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ABSENT_INSTEAD = 0.5
"""How often ``refine_known`` leaves the unknown stems absent instead of noisy."""

ABSENT_BESIDE = 0.3
"""How often ``impute`` has an absent stem beside a noisy one."""


@dataclass(frozen=True)
class QuestionMix:
    """Shares of the questions, and the sigmas they are asked at.

    What remains of the shares is the joint prior: all stems at one sigma.

    Attributes:
        regress: Mixture given, every stem absent: at an infinite sigma.
        refine: Mixture given, all stems at one sigma around what the network itself has found: the
            question of a sampler that draws all noise anew at every step.
        refine_known: Mixture given, some stems known, the others at one sigma.
        impute: Each stem known, at one sigma, or absent.
        sigma_low: Smallest sigma of the log-uniform distribution.
        sigma_high: Largest one.
        refine_low: Smallest sigma of the log-uniform distribution of ``refine``.
        refine_high: Largest one.
        told_absent: How often a question with the mixture says which stems are silent: they are
            known.
    """

    regress: float = 0.68
    refine: float = 0.05
    refine_known: float = 0.03
    impute: float = 0.15
    sigma_low: float = 5e-3
    sigma_high: float = 5.0
    refine_low: float = 0.03
    refine_high: float = 1.0
    told_absent: float = 0.0

    @property
    def separates(self) -> bool:
        """Whether the mixture is ever given."""
        return self.regress + self.refine + self.refine_known > 0

    @property
    def relates(self) -> bool:
        """Whether any question needs more than one stem."""
        return self.separates or self.impute > 0

    def draw(self, rng: np.random.Generator, stems: int) -> tuple[NDArray[np.float64], bool]:
        """Sigma per stem ``[S]``, and whether the mixture is given."""
        kind = rng.random()
        sigma = draw_log_uniform(rng, self.sigma_low, self.sigma_high)
        if kind < self.regress:
            return np.full(stems, np.inf), True
        kind -= self.regress
        if kind < self.refine:
            return np.full(stems, draw_log_uniform(rng, self.refine_low, self.refine_high)), True
        kind -= self.refine
        if kind < self.refine_known:
            known = rng.permutation(stems)[: rng.integers(1, stems - 1)]
            sigmas = np.full(stems, np.inf if rng.random() < ABSENT_INSTEAD else sigma)
            sigmas[known] = 0
            return sigmas, True
        kind -= self.refine_known
        sigmas = np.full(stems, sigma)
        if kind < self.impute:
            order = rng.permutation(stems)
            sigmas[order[: rng.integers(1, stems)]] = 0
            if rng.random() < ABSENT_BESIDE:
                sigmas[order[-1]] = np.inf
                sigmas[order[-2]] = sigma
        return sigmas, False

    def tell_absent(
        self, rng: np.random.Generator, sigmas: NDArray[np.float64], stems: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Sigmas of a question with the mixture, with 0 for silent stems if they are told.

        A question to refine becomes one with known stems then.

        Shape:
            ``[S], [S, T] -> [S]``
        """
        if rng.random() >= self.told_absent:
            return sigmas
        return np.where(stems.any(1), sigmas, 0.0)


def draw_log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
