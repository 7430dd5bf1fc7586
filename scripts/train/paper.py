"""The paper's way to train its network: one sigma for all stems, the EDM loss, crops as they are.

Source: arXiv 2302.02257, and ``exp/train_msdm.yaml`` of its authors.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from msdm_cli.networks.unet1d import Unet1d
from scripts.train.corpus import Corpus

CROPS = 24
BATCH = 2


class LogNormalSigma:
    """Log-normal sigma with the paper's mean and deviation of the logarithm; never the mixture."""

    MEAN = -3.0
    DEVIATION = 1.0
    relates = False

    def draw(self, rng: np.random.Generator, stems: int) -> tuple[NDArray[np.float64], bool]:
        """Sigma per stem ``[S]``, and whether the mixture is given."""
        return np.full(stems, math.exp(rng.normal(self.MEAN, self.DEVIATION))), False


class PaperLoss(nn.Module):
    """The paper's loss (``Unet1d.loss``), with the arguments of ``ScoreMatching``.

    Args:
        network: What is trained.
    """

    def __init__(self, network: Unet1d) -> None:
        super().__init__()
        self.network = network

    def forward(self, stems: Tensor, sigma: Tensor, given: Tensor, noise: Tensor) -> Tensor:
        """Loss of each item, ``[B, S, T], [B, S], [B], [B, S, T] -> [B]``."""
        del given
        return self.network.loss(stems, sigma[:, 0], noise)


class PaperValidation:
    """The loss on a fixed set of crops, sigmas and noise.

    Args:
        corpus: The validation songs.
        length: Length of a crop, in samples.
    """

    def __init__(self, corpus: Corpus, length: int) -> None:
        self.corpus = corpus
        self.items = []
        for index in range(CROPS):
            rng = np.random.default_rng((2302, 2257, index))
            crop = corpus.crop(rng, length, corpus.songs[index % len(corpus.songs)])
            # Quantiles of the normal distribution, so that every noise level is seen.
            quantile = torch.erfinv(torch.tensor((2 * index + 1) / CROPS - 1))
            sigma = LogNormalSigma.MEAN + LogNormalSigma.DEVIATION * math.sqrt(2) * quantile
            noise = rng.standard_normal(crop.shape, dtype=np.float32)
            self.items.append((torch.from_numpy(crop), sigma.exp(), torch.from_numpy(noise)))

    @torch.no_grad()
    def score(self, network: Unet1d) -> dict[str, float]:
        """The mean loss; ``figure`` chooses a checkpoint, higher is better."""
        device = network.frequencies.device
        losses = []
        for start in range(0, CROPS, BATCH):
            items = self.items[start : start + BATCH]
            batch = (torch.stack(column).to(device) for column in zip(*items, strict=True))
            losses.append(network.loss(*batch))
        loss = torch.cat(losses).mean().item()
        return {"figure": -loss, "loss": loss}
