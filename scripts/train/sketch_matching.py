"""The loss of the prior over sketches, and the figures that choose its weights."""

import numpy as np
import torch
from torch import Tensor, nn

from msdm_cli.networks.sketch_prior import SketchPrior
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN
from scripts.train.sketch_corpus import SketchCorpus
from scripts.train.sketch_questions import describe_crop

CROPS = 48
BATCH = 12
SIGMAS = (0.5, 1.5, 5.0, 15.0, 40.0)
GAP_SIGMA = 15.0
PCA_SONGS = 150
LEAST_VARIANCE = 1e-4


class SketchMatching(nn.Module):
    """Squared error of each stem's codes, relative to what the Gaussian answer expects.

    So every sigma and stem counts alike: 1 is the Wiener filter of the components.

    Args:
        network: What is trained.
    """

    def __init__(self, network: SketchPrior) -> None:
        super().__init__()
        self.network = network

    def forward(self, sketch: Tensor, sigma: Tensor, told: Tensor, noise: Tensor) -> Tensor:
        """Loss of each item; an infinite sigma is the largest that the network tells apart.

        Shape:
            ``[B, S, bands, frames], [B, S, tokens], [B, tokens, controls], [B, S, tokens * K]
            -> [B]``
        """
        network = self.network
        with torch.no_grad():
            clean = network.encode(sketch)
        # What is absent is not asked for.
        asked = (sigma > 0) & sigma.isfinite()
        sigma = sigma.clamp_max(network.config.sigma_max)
        spread = sigma.repeat_interleave(network.config.coefficients, 2)
        denoised = network(clean + spread * noise, sigma, None, told)
        error = (denoised - clean).square().unflatten(2, (sigma.shape[2], -1)).sum(-1) * asked
        expected = expect_error(network, sigma) * asked
        ratios = error.sum(2) / expected.sum(2).clamp_min(1e-6)
        return ratios.sum(1) / asked.any(2).sum(1).clamp_min(1)


def expect_error(network: SketchPrior, sigma: Tensor) -> Tensor:
    """Squared error of the Wiener filter at each token, ``[B, S, tokens] -> [B, S, tokens]``."""
    noise = sigma.clamp_min(network.config.sigma_min).square()[..., None]
    variance = network.variance[:, None]
    return (variance * noise / (variance + noise)).sum(-1)


def measure_codes(corpus: SketchCorpus, network: SketchPrior) -> None:
    """Set the mean, the basis and the variances of the codes from songs, in place."""
    config = network.config
    step = max(1, len(corpus.songs) // PCA_SONGS)
    sketches = [corpus.load(song)[0] for song in corpus.songs[::step]]
    for stem in range(config.stems):
        tokens = torch.cat([_cut(whole[stem], config.frames_per_token) for whole in sketches])
        mean = tokens.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((tokens - mean).T.double()))
        kept = torch.arange(len(values) - 1, len(values) - 1 - config.coefficients, -1)
        network.mean[stem] = mean
        network.basis[stem] = vectors[:, kept].float()
        network.variance[stem] = values[kept].clamp_min(LEAST_VARIANCE).float()


def _cut(sketch: np.ndarray, frames_per_token: int) -> Tensor:
    """``[bands, frames] -> [tokens, bands * frames_per_token]``."""
    bands, frames = sketch.shape
    tokens = frames // frames_per_token
    whole = torch.from_numpy(sketch[:, : tokens * frames_per_token].astype(np.float32))
    return whole.view(bands, tokens, frames_per_token).transpose(0, 1).flatten(1)


class SketchValidation:
    """A fixed set of crops, spread evenly over the validation songs.

    Args:
        corpus: The validation songs.
        tokens: Length of a crop.
    """

    def __init__(self, corpus: SketchCorpus, tokens: int) -> None:
        self.corpus = corpus
        crops = []
        for index in range(CROPS):
            rng = np.random.default_rng((2302, 2257, index))
            song = corpus.songs[index % len(corpus.songs)]
            crops.append(corpus.crop(rng, tokens * FRAMES_PER_TOKEN, song))
        stems = len(corpus.stems)
        self.sketch = torch.from_numpy(np.stack([crop.sketch for crop in crops]))
        self.told = torch.from_numpy(np.stack([describe_crop(crop, stems) for crop in crops]))

    @torch.no_grad()
    def score(self, network: SketchPrior) -> dict[str, float]:
        """Losses at each sigma, told and untold, and the own/other gap of each stem in per cent.

        The gap is the loss of a stem with the others known, when they are another song's at the
        same place, over that when they are its own; less 1.
        """
        network.eval()
        clean = network.encode(self.sketch)
        rng = torch.Generator().manual_seed(2257)
        noise = torch.randn(clean.shape, generator=rng)
        figures = {}
        for sigma in SIGMAS:
            levels = torch.full((*clean.shape[:2], self.told.shape[1]), sigma)
            figures[f"loss_{sigma:g}"] = self._find_loss(network, clean, levels, noise, self.told)
        figures["figure"] = -float(np.mean(list(figures.values())))
        untold = torch.zeros_like(self.told)
        for index, stem in enumerate(self.corpus.stems):
            levels = torch.zeros(*clean.shape[:2], self.told.shape[1])
            levels[:, index] = GAP_SIGMA
            others = torch.roll(clean, 1, 0)
            others[:, index] = clean[:, index]
            own = self._find_loss(network, clean, levels, noise, untold)
            other = self._find_loss(network, others, levels, noise, untold)
            figures[f"own_{stem}"] = own
            figures[f"gap_{stem}"] = 100 * (other / own - 1)
        network.train()
        return figures

    @staticmethod
    def _find_loss(
        network: SketchPrior, clean: Tensor, levels: Tensor, noise: Tensor, told: Tensor
    ) -> float:
        """Mean loss of the noisy stems."""
        losses = []
        for part in torch.split(torch.arange(len(clean)), BATCH):
            sigma = levels[part]
            spread = sigma.repeat_interleave(network.config.coefficients, 2)
            noisy = clean[part] + spread * noise[part]
            denoised = network(noisy, sigma, None, told[part])
            error = (denoised - clean[part]).square().unflatten(2, (sigma.shape[2], -1)).sum(-1)
            asked = sigma > 0
            losses.append((error * asked).sum() / (expect_error(network, sigma) * asked).sum())
        return float(torch.stack(losses).mean())
