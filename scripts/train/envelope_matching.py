"""The loss of the network that guesses the envelope of a sketch, and its validation."""

import numpy as np
import torch
from torch import Tensor, nn

from msdm_cli.networks.sketch_envelope import MARGIN_FRAMES, SketchEnvelope
from msdm_cli.representations.envelope import LOWEST, STEPS_PER_FRAME
from msdm_cli.representations.sketch import MARGIN
from msdm_cli.representations.sketch_codes import SketchCodes
from scripts.train.corpus import Corpus
from scripts.train.told_sketches import cut_envelope, draw_told

CROPS = 16
BLUR = 0.15


class EnvelopeMatching(nn.Module):
    """What a guessed envelope is wrong by, in bels.

    Args:
        network: What is trained.
    """

    def __init__(self, network: SketchEnvelope) -> None:
        super().__init__()
        self.network = network

    def forward(self, told: Tensor, envelope: Tensor) -> Tensor:
        """Mean error of each item.

        What is silent may be guessed to be more so. Frames near the ends are left out: what comes
        before and after them is not told.

        Shape:
            ``[B, S, BANDS + 1, frames], [B, S, ENVELOPE_BANDS, T / STEP] -> [B]``
        """
        inside = slice(MARGIN_FRAMES * STEPS_PER_FRAME, -MARGIN_FRAMES * STEPS_PER_FRAME)
        guess, envelope = self.network.find(told)[..., inside], envelope[..., inside]
        heard = torch.where(envelope > LOWEST, guess, guess.clamp_min(LOWEST))
        return (heard - envelope).abs().mean((1, 2, 3))


class EnvelopeValidation:
    """A fixed set of crops with blurred sketches, spread evenly over the validation songs.

    Args:
        corpus: The validation songs.
        codes: What sketches pass through.
        length: Length of a crop, in samples.
    """

    def __init__(self, corpus: Corpus, codes: SketchCodes, length: int) -> None:
        self.corpus = corpus
        told, envelopes = [], []
        for index in range(CROPS):
            rng = np.random.default_rng((2302, 2257, index))
            song = corpus.songs[index % len(corpus.songs)]
            around = corpus.crop(rng, length + 2 * MARGIN, song)
            told.append(draw_told(around, codes, rng, BLUR))
            envelopes.append(cut_envelope(around))
        self.told, self.envelopes = (torch.from_numpy(np.stack(part)) for part in (told, envelopes))

    @torch.no_grad()
    def score(self, network: SketchEnvelope) -> dict[str, float]:
        """The mean error in bels; ``figure`` is less it."""
        network.eval()
        error = EnvelopeMatching(network)(self.told, self.envelopes).mean().item()
        network.train()
        return {"figure": -error, "error": error}
