"""The loss of the network that turns sketches into sound, and its validation."""

import numpy as np
import torch
from torch import Tensor, nn

from msdm_cli.networks.gaussian_stems import Question
from msdm_cli.networks.sketch_unet import SketchUnet
from msdm_cli.representations.envelope import LOWEST, STEPS_PER_FRAME
from msdm_cli.representations.envelope_guess import MARGIN_FRAMES
from msdm_cli.representations.sketch import MARGIN
from msdm_cli.representations.sketch_codes import SketchCodes
from scripts.train.corpus import Corpus
from scripts.train.told_sounds import cut_envelope, draw_told

CROPS = 16
BATCH = 2
SIGMAS = (0.02, 0.1, 0.3, 1.0)
BLUR = 0.15


class SoundMatching(nn.Module):
    """What sounds and envelopes of a sketch are wrong by.

    Of sounds it is the squared error of each stem, relative to that of Gaussian stems with the
    sketch's power. The floors are those of ``scripts.train.score_matching``. Of envelopes it is the
    mean error in bels.

    Args:
        network: What is trained.
    """

    FLOOR = 0.1
    ENERGY_FLOOR = 1e-3

    def __init__(self, network: SketchUnet) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, stems: Tensor, sigma: Tensor, told: Tensor, noise: Tensor, envelope: Tensor
    ) -> Tensor:
        """Loss of each item.

        Shape:
            ``[B, S, T], [B, S], [B, S, BANDS + 1, frames], [B, S, T],
            [B, S, ENVELOPE_BANDS, T / STEP] -> [B]``

        Raises:
            ValueError: No stem is asked for, and the network guesses no envelopes.
        """
        if self.network.envelope is None and not sigma.any():
            raise ValueError("expected envelope_channels in the config, for crops that are heard")
        loss = stems.new_zeros(len(stems))
        if sigma.any():
            loss = loss + self.find_sound_error(stems, sigma, told, noise)
        if self.network.envelope is not None:
            loss = loss + find_envelope_error(self.network.envelope(told), envelope)
        return loss

    def find_sound_error(self, stems: Tensor, sigma: Tensor, told: Tensor, noise: Tensor) -> Tensor:
        """That of the stems that are asked for, ``-> [B]``."""
        network = self.network
        with torch.no_grad():
            clean, unit = network.stft(stems), network.stft(noise)
            noisy = clean + unit * sigma[:, :, None, None, None]
            reference = self._expect_error(clean, noisy, sigma, told)
        torch.clear_autocast_cache()
        denoised = network.denoise_told(noisy, sigma, told)
        asked = (sigma > 0).float()
        ratios = (denoised - clean).square().sum((2, 3, 4)) / reference
        return (ratios * asked).sum(1) / asked.sum(1).clamp_min(1)

    def _expect_error(self, clean: Tensor, noisy: Tensor, sigma: Tensor, told: Tensor) -> Tensor:
        """Squared error that counts as 1, ``-> [B, S]``."""
        network = self.network
        power = network.find_log_power(told)
        nothing = torch.zeros_like(noisy[:, 0]), torch.zeros_like(sigma[:, 0])
        gaussian = network.gaussian.find_posterior(Question(noisy, sigma, *nothing, power))
        error = (gaussian - clean).square().sum((2, 3, 4))
        error = error + network.gaussian.find_variance(sigma, power).sum((2, 3, 4))
        energy = clean.square().sum((2, 3, 4)).mean(1, keepdim=True)
        floor = self.FLOOR * error.mean(1, keepdim=True)
        return error + floor + self.ENERGY_FLOOR * energy + 1e-6


def find_envelope_error(guess: Tensor, envelope: Tensor) -> Tensor:
    """Mean error of a guess in bels, ``[B, S, bands, frames] x 2 -> [B]``.

    What is silent may be guessed to be more so. Frames near the ends are left out: what comes
    before and after them is not told.
    """
    inside = slice(MARGIN_FRAMES * STEPS_PER_FRAME, -MARGIN_FRAMES * STEPS_PER_FRAME)
    guess, envelope = guess[..., inside], envelope[..., inside]
    heard = torch.where(envelope > LOWEST, guess, guess.clamp_min(LOWEST))
    return (heard - envelope).abs().mean((1, 2, 3))


class SoundValidation:
    """A fixed set of crops with blurred sketches, spread evenly over the validation songs.

    Args:
        corpus: The validation songs.
        codes: What sketches pass through.
        length: Length of a crop, in samples.
    """

    def __init__(self, corpus: Corpus, codes: SketchCodes, length: int) -> None:
        self.corpus = corpus
        stems, told, noise, envelopes = [], [], [], []
        for index in range(CROPS):
            rng = np.random.default_rng((2302, 2257, index))
            song = corpus.songs[index % len(corpus.songs)]
            around = corpus.crop(rng, length + 2 * MARGIN, song)
            stems.append(around[:, MARGIN : MARGIN + length])
            told.append(draw_told(around, codes, rng, BLUR))
            noise.append(rng.standard_normal(stems[-1].shape, dtype=np.float32))
            envelopes.append(cut_envelope(around))
        self.items = [torch.from_numpy(np.stack(column)) for column in (stems, told, noise)]
        self.envelopes = torch.from_numpy(np.stack(envelopes))

    @torch.no_grad()
    def score(self, network: SketchUnet) -> dict[str, float]:
        """The loss at each sigma, and the error of envelopes; ``figure`` is less their mean."""
        network.eval()
        loss = SoundMatching(network)
        figures = {}
        for level in SIGMAS:
            losses = [
                loss.find_sound_error(stems, torch.full(stems.shape[:2], level), told, noise)
                for stems, told, noise in zip(
                    *(torch.split(column, BATCH) for column in self.items), strict=True
                )
            ]
            figures[f"loss_{level:g}"] = torch.cat(losses).mean().item()
        if network.envelope is not None:
            errors = find_envelope_error(network.envelope(self.items[1]), self.envelopes)
            figures["envelope"] = errors.mean().item()
        network.train()
        return {"figure": -float(np.mean(list(figures.values()))), **figures}
