"""What an architecture is trained with: network, questions, loss, validation and settings."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from msdm_cli.networks.sketch_envelope import SketchEnvelope, SketchEnvelopeConfig
from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from scripts.train.corpus import Augmentation
from scripts.train.envelope_matching import EnvelopeMatching
from scripts.train.materials import Envelopes, Material, Sketches, Sounds
from scripts.train.options import TrainingOptions
from scripts.train.paper import LogNormalSigma, PaperLoss
from scripts.train.questions import QuestionMix
from scripts.train.score_matching import ScoreMatching
from scripts.train.sketch_corpus import SketchAugmentation
from scripts.train.sketch_matching import SketchMatching
from scripts.train.sketch_questions import SketchQuestions
from scripts.train.told_sketches import SketchBlur


@dataclass(frozen=True)
class Recipe:
    """How an architecture is trained.

    Attributes:
        material: What it is trained on.
        config: Makes the network's config from fields that differ from its own.
        network: Builds a network from it.
        objective: Builds the loss of a network.
        questions: Draws the sigmas, and whether the mixture is given.
        augmentation: What happens to crops; nothing if None.
        options: Settings that are not asked for.
    """

    material: Material
    config: Callable[..., Any]
    network: Callable[[Any], nn.Module]
    objective: Callable[[Any], nn.Module]
    questions: QuestionMix | LogNormalSigma | SketchQuestions | SketchBlur
    augmentation: Augmentation | SketchAugmentation | None
    options: TrainingOptions

    @property
    def relates(self) -> bool:
        """Whether its questions need more than one stem."""
        return self.questions.relates

    def build(self, path: Path | None, stems: int) -> Any:
        """The network of a config file (JSON), or of the default size."""
        fields = json.loads(path.read_text()) if path else {}
        return self.network(dataclasses.replace(self.config(**fields), stems=stems))

    def sized(self, config: Any) -> "Recipe":
        """The recipe with another config of its network: what is drawn may depend on it."""
        return dataclasses.replace(self, config=partial(self.config, **dataclasses.asdict(config)))

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
        material=Sounds(),
        config=StftUnetConfig,
        network=StftUnet,
        objective=ScoreMatching,
        questions=QuestionMix(),
        augmentation=Augmentation(),
        options=TrainingOptions(),
    ),
    "sketch_prior": Recipe(
        material=Sketches(),
        config=SketchPriorConfig,
        network=SketchPrior,
        objective=SketchMatching,
        questions=SketchQuestions(),
        augmentation=SketchAugmentation(),
        options=TrainingOptions(
            batch=16, length=128, learning_rate=2e-3, warmup_steps=100, crop_norm=None
        ),
    ),
    "sketch_envelope": Recipe(
        material=Envelopes(),
        config=SketchEnvelopeConfig,
        network=SketchEnvelope,
        objective=EnvelopeMatching,
        questions=SketchBlur(),
        augmentation=Augmentation(),
        options=TrainingOptions(
            steps=1500,
            decay_steps=700,
            batch=16,
            length=98304,
            learning_rate=4e-3,
            warmup_steps=50,
            ema_decay=0.99,
            crop_norm=None,
        ),
    ),
    # The paper's: Adam at 1e-4, 8 crops of 12 s, no schedule, no average.
    "unet1d": Recipe(
        material=Sounds(),
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
