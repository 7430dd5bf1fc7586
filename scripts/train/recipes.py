"""What an architecture is trained with: network, questions, loss, validation and settings."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from scripts.train.corpus import Augmentation, Corpus
from scripts.train.paper import LogNormalSigma, PaperLoss, PaperValidation
from scripts.train.questions import QuestionMix
from scripts.train.score_matching import ScoreMatching
from scripts.train.validation import Validation, Validator

LEAST_RATE = 0.02
"""What the learning rate falls to, as a share of its highest value."""


@dataclass(frozen=True)
class TrainingOptions:
    """Everything that decides what a run computes, apart from its network.

    Attributes:
        steps: When the run ends.
        decay_steps: How many of the last steps the learning rate falls in.
        batch: Crops a step, of each process.
        length: Of a crop, in samples.
        muon: Whether Muon steps for the matrices, and AdamW for the rest only.
        learning_rate: Highest learning rate.
        warmup_steps: How many of the first steps the learning rate rises in.
        weight_decay: Of AdamW and Muon.
        ema_decay: Of the moving average of the weights; 0 for the weights themselves.
        crop_norm: Norm that the gradient of each crop is clipped to; about half of the crops have a
            larger one. Crops are computed one by one then, which takes a fifth more time on a CPU.
            None clips the gradient of the batch to 1.
        seed: Decides crops, questions, noise and first weights.
    """

    steps: int = 4000
    decay_steps: int = 1500
    batch: int = 6
    length: int = 49152
    muon: bool = True
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    weight_decay: float = 0.01
    ema_decay: float = 0.999
    crop_norm: float | None = 0.3
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate at a step: linear warm-up, constant, linear decay."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = max(LEAST_RATE, (self.steps - step) / self.decay_steps)
        return self.learning_rate * warm * min(1.0, left)


@dataclass(frozen=True)
class Recipe:
    """How an architecture is trained.

    Attributes:
        config: Class of the network's config.
        network: Builds a network from it.
        objective: Builds the loss of a network.
        questions: Draws the sigmas, and whether the mixture is given.
        augmentation: What happens to crops; nothing if None.
        options: Settings that are not asked for.
    """

    config: type[Any]
    network: Callable[[Any], nn.Module]
    objective: Callable[[Any], nn.Module]
    questions: QuestionMix | LogNormalSigma
    augmentation: Augmentation | None
    options: TrainingOptions

    @property
    def relates(self) -> bool:
        """Whether its questions need more than one stem."""
        return isinstance(self.questions, QuestionMix) and self.questions.relates

    def build(self, path: Path | None, stems: int) -> Any:
        """The network of a config file (JSON), or of the default size."""
        fields = json.loads(path.read_text()) if path else {}
        return self.network(dataclasses.replace(self.config(**fields), stems=stems))

    def validation(self, corpus: Corpus, length: int) -> Validator:
        """What chooses a checkpoint, by the validation songs."""
        if isinstance(self.questions, QuestionMix):
            return Validation(corpus, length, separates=self.questions.separates)
        return PaperValidation(corpus, length)

    def changed(self, changes: Mapping[str, Mapping[str, Any]]) -> "Recipe":
        """The recipe with other fields of its ``questions``, ``augmentation`` or ``options``.

        Raises:
            TypeError, AttributeError: It has no such field.
        """
        parts = {
            part: dataclasses.replace(getattr(self, part), **fields)
            for part, fields in changes.items()
        }
        return dataclasses.replace(self, **parts)


RECIPES = {
    "stft_unet": Recipe(
        config=StftUnetConfig,
        network=StftUnet,
        objective=ScoreMatching,
        questions=QuestionMix(),
        augmentation=Augmentation(),
        options=TrainingOptions(),
    ),
    # The paper's: Adam at 1e-4, 8 crops of 12 s, no schedule, no average.
    "unet1d": Recipe(
        config=Unet1dConfig,
        network=Unet1d,
        objective=PaperLoss,
        questions=LogNormalSigma(),
        augmentation=None,
        options=TrainingOptions(
            decay_steps=1,
            batch=8,
            length=262144,
            muon=False,
            learning_rate=1e-4,
            warmup_steps=1,
            weight_decay=0.0,
            ema_decay=0.0,
            crop_norm=None,
        ),
    ),
}
"""Recipes by the name of the architecture. Adding one is a row here."""
