"""What a network is trained on: sounds, or sketches. A material draws what a loss takes."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from msdm_cli.networks.sketch_prior import SketchPrior
from msdm_cli.networks.stft_unet import StftUnet
from scripts.songs import SAMPLE_RATE_HZ
from scripts.train.corpus import Corpus
from scripts.train.envelope_matching import EnvelopeValidation
from scripts.train.initial import measure_sd
from scripts.train.paper import PaperValidation
from scripts.train.questions import QuestionMix
from scripts.train.sketch_corpus import SketchCorpus
from scripts.train.sketch_matching import SketchValidation, measure_codes
from scripts.train.sketch_questions import draw_sketch_item
from scripts.train.told_sketches import draw_envelope_item, open_codes
from scripts.train.validation import Validation, Validator


class Material(Protocol):
    """What a recipe trains on."""

    def open(self, folder: Path, stems: tuple[str, ...]) -> Any:
        """The songs of a split."""

    def draw(
        self, corpus: Any, recipe: Any, rng: np.random.Generator, item: int
    ) -> tuple[NDArray[Any], ...]:
        """An item of a batch: what the objective takes, without the axis of the batch."""

    def validation(self, corpus: Any, recipe: Any, length: int | None) -> Validator:
        """What chooses a checkpoint."""

    def measure(self, network: Any, corpus: Any, recipe: Any) -> None:
        """Set what a network knows of its songs before it is trained."""


class Sounds:
    """Stems as samples."""

    VALIDATION_LENGTH = 262144

    def open(self, folder: Path, stems: tuple[str, ...]) -> Corpus:
        """The songs of a split."""
        return Corpus(folder, stems, SAMPLE_RATE_HZ)

    def draw(
        self, corpus: Corpus, recipe: Any, rng: np.random.Generator, item: int
    ) -> tuple[NDArray[Any], ...]:
        """Stems, sigmas, whether the mixture is given, and noise.

        Shape:
            ``-> [S, T], [S], [], [S, T]``
        """
        length = recipe.options.length
        sigma, given = recipe.questions.draw(rng, len(corpus.stems))
        if recipe.augmentation is None:
            stems = corpus.crop(rng, length)
        else:
            stems = corpus.augmented(rng, length, recipe.augmentation)
        if given:
            sigma = recipe.questions.tell_absent(rng, sigma, stems)
        noise = rng.standard_normal(stems.shape, dtype=np.float32)
        return stems, sigma.astype(np.float32), np.array(given, np.float32), noise

    def validation(self, corpus: Corpus, recipe: Any, length: int | None) -> Validator:
        """Separation in one call, or the paper's loss."""
        length = length or self.VALIDATION_LENGTH
        if isinstance(recipe.questions, QuestionMix):
            return Validation(corpus, length, separates=recipe.questions.separates)
        return PaperValidation(corpus, length)

    def measure(self, network: Any, corpus: Corpus, recipe: Any) -> None:
        """The spectra of the stems, for our network."""
        if isinstance(network, StftUnet):
            sd = measure_sd(corpus, network, recipe.options, recipe.augmentation)
            network.sd.copy_(sd)


class Sketches:
    """Sketches of stems."""

    def open(self, folder: Path, stems: tuple[str, ...]) -> SketchCorpus:
        """The songs of a split."""
        return SketchCorpus(folder, stems)

    def draw(
        self, corpus: SketchCorpus, recipe: Any, rng: np.random.Generator, item: int
    ) -> tuple[NDArray[Any], ...]:
        """A sketch, sigmas, controls and noise, as ``draw_sketch_item``; sigmas are stratified."""
        shape = recipe.options.length, recipe.config().coefficients
        quantile = (item + rng.random()) / recipe.options.batch
        return draw_sketch_item(corpus, recipe.questions, recipe.augmentation, rng, shape, quantile)

    def validation(self, corpus: SketchCorpus, recipe: Any, length: int | None) -> Validator:
        """Losses, and the own/other gap."""
        return SketchValidation(corpus, length or recipe.options.length)

    @torch.no_grad()
    def measure(self, network: SketchPrior, corpus: SketchCorpus, recipe: Any) -> None:
        """The basis of the codes."""
        measure_codes(corpus, network)


class Envelopes:
    """Sketches with envelopes; ``options.codes`` is what sketches pass through."""

    def open(self, folder: Path, stems: tuple[str, ...]) -> Corpus:
        """The songs of a split."""
        return Corpus(folder, stems, SAMPLE_RATE_HZ)

    def draw(
        self, corpus: Corpus, recipe: Any, rng: np.random.Generator, item: int
    ) -> tuple[NDArray[Any], ...]:
        """What is told of a crop, and its envelope, as ``draw_envelope_item``."""
        prior, length = recipe.options.codes, recipe.options.length
        return draw_envelope_item(corpus, prior, recipe.questions, recipe.augmentation, rng, length)

    def validation(self, corpus: Corpus, recipe: Any, length: int | None) -> Validator:
        """Errors of envelopes."""
        codes = open_codes(recipe.options.codes)
        return EnvelopeValidation(corpus, codes, length or recipe.options.length)

    def measure(self, network: Any, corpus: Corpus, recipe: Any) -> None:
        """Nothing."""
