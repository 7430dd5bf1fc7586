"""The figures that choose a checkpoint: separation in one call, and denoising without a mixture."""

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from msdm_cli.evaluation.metrics.si_sdr import is_active, si_sdr
from msdm_cli.networks.stft_layer import StftLayer
from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.corpus import Corpus

CROPS = 60
BATCH = 3
SIGMAS = (0.05, 0.3, 1.0)


class Validator(Protocol):
    """What chooses a checkpoint.

    Attributes:
        corpus: The validation songs.
    """

    corpus: Any

    def score(self, network: Any) -> dict[str, float]:
        """Figures of a network; ``figure`` is the one that chooses, higher is better."""


class Validation:
    """A fixed set of crops, spread evenly over the validation songs.

    Args:
        corpus: The validation songs.
        length: Length of a crop, in samples.
        separates: Whether the network takes the mixture; a prior alone is chosen by how it
            denoises.
    """

    def __init__(self, corpus: Corpus, length: int, *, separates: bool = True) -> None:
        self.corpus = corpus
        self.separates = separates
        crops = []
        noise = []
        for index in range(CROPS):
            rng = np.random.default_rng((2302, 2257, index))
            crops.append(corpus.crop(rng, length, corpus.songs[index % len(corpus.songs)]))
            noise.append(rng.standard_normal(crops[-1].shape, dtype=np.float32))
        self.stems = torch.from_numpy(np.stack(crops))
        self.noise = torch.from_numpy(np.stack(noise))
        self.wiener_errors = expect_wiener_errors(self.stems)

    @torch.no_grad()
    def score(self, network: StftUnet) -> dict[str, float]:
        """Figures of a network: SI-SDRi in dB, and errors of the joint prior.

        SI-SDRi is the mean over active stems, and that of each stem. Errors are squared, and
        relative to those of a static Wiener filter of the very stems.
        """
        network.eval()
        device = network.sd.device
        batches = zip(torch.split(self.stems, BATCH), torch.split(self.noise, BATCH), strict=True)
        errors = [
            self._denoise(network, stems.to(device), noise.to(device)).cpu()
            for stems, noise in batches
        ]
        means = torch.stack(errors).mean(0) / self.wiener_errors
        figures = {
            f"denoise_{sigma}": value.item() for sigma, value in zip(SIGMAS, means, strict=True)
        }
        figures["figure"] = -means.mean().item()
        if self.separates:
            figures |= self._score_separation(network)
        network.train()
        return figures

    def _score_separation(self, network: StftUnet) -> dict[str, float]:
        improvements = []
        activity = []
        for stems in torch.split(self.stems, BATCH):
            estimate = self._separate(network, stems.to(network.sd.device)).cpu()
            mixture = stems.sum(1, keepdim=True).expand_as(stems)
            before = si_sdr(mixture.numpy(), stems.numpy())
            improvements.append(si_sdr(estimate.numpy(), stems.numpy()) - before)
            sounding = is_active(stems.numpy())
            # A stem that sounds alone is the mixture: there is nothing to separate.
            activity.append(sounding & (sounding.sum(1, keepdims=True) > 1))
        scores = np.concatenate(improvements)
        counted = np.concatenate(activity)
        means = {
            stem: scores[:, index][counted[:, index]].mean().item()
            for index, stem in enumerate(self.corpus.stems)
            if counted[:, index].any()
        }
        mean = float(np.mean(list(means.values())))
        return {"figure": mean, "si_sdri": mean, **means}

    @staticmethod
    def _separate(network: StftUnet, stems: Tensor) -> Tensor:
        sigma = torch.full(stems.shape[:2], network.config.sigma_max, device=stems.device)
        return network(torch.zeros_like(stems), sigma, stems.sum(1))

    @staticmethod
    def _denoise(network: StftUnet, stems: Tensor, noise: Tensor) -> Tensor:
        """Mean squared error of the joint prior at each sigma, ``-> [sigmas]``."""
        errors = []
        for level in SIGMAS:
            sigma = torch.full(stems.shape[:2], level, device=stems.device)
            denoised = network(stems + sigma[..., None] * noise, sigma)
            errors.append((denoised - stems).square().mean())
        return torch.stack(errors)


def expect_wiener_errors(stems: Tensor) -> Tensor:
    """Mean squared error that the static Wiener filter of these stems leaves at each sigma.

    Shape:
        ``[B, S, T] -> [sigmas]``
    """
    stft = StftLayer(1024, 256)
    power = torch.stack([stft(item).square().sum(1).mean(-1) for item in stems]).mean(0)
    # Each bin but the first and the last stands for two, at plus and minus its frequency.
    both_sides = torch.full_like(power, 2 / stft.n_fft)
    both_sides[:, [0, -1]] /= 2
    noise = torch.tensor(SIGMAS)[:, None, None].square()
    # A Wiener filter of gain P / (P + N) leaves the error P N / (P + N).
    return (power * noise / (power + noise) * both_sides).sum(-1).mean(-1)
