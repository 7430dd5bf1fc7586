"""The figures that choose a checkpoint: separation in one call, and denoising against the static Wiener filter."""

import numpy as np
import torch
from torch import Tensor

from msdm_cli.evaluation.metrics import is_active, si_sdr
from msdm_cli.networks.stft_layer import Stft
from msdm_cli.networks.stft_unet import StftUnet
from training.corpus import Corpus

CROPS = 60
BATCH = 3
SIGMAS = (0.05, 0.3, 1.0)


class Validation:
    """A fixed set of crops, spread evenly over the validation songs.

    Args:
        corpus: The validation songs.
        length: Length of a crop, in samples.
        separates: Whether the network is told the mixture; a prior alone is chosen by how it denoises.
    """

    def __init__(self, corpus: Corpus, length: int, *, separates: bool = True) -> None:
        self.corpus, self.separates = corpus, separates
        generators = [np.random.default_rng((2302, 2257, index)) for index in range(CROPS)]
        songs = [corpus.songs[index % len(corpus.songs)] for index in range(CROPS)]
        crops = [
            corpus.crop(rng, length, song) for rng, song in zip(generators, songs, strict=True)
        ]
        noise = [
            rng.standard_normal(crop.shape, dtype=np.float32)
            for rng, crop in zip(generators, crops, strict=True)
        ]
        self.stems, self.noise = (
            torch.from_numpy(np.stack(crops)),
            torch.from_numpy(np.stack(noise)),
        )
        self.wiener_errors = expect_wiener_errors(self.stems)

    @torch.no_grad()
    def score(self, network: StftUnet) -> dict[str, float]:
        """Figures of a network: SI-SDRi in dB (mean over active stems, and each), and errors of the joint prior.

        Those are squared, and relative to what a static Wiener filter of the very stems leaves. ``figure`` is what
        chooses a checkpoint, higher is better.
        """
        network.eval()
        device = network.sd.device
        batches = zip(self.stems.split(BATCH), self.noise.split(BATCH), strict=True)
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
        improvement, active = [], []
        for stems in self.stems.split(BATCH):
            estimate = self._separate(network, stems.to(network.sd.device)).cpu()
            mixture = stems.sum(1, keepdim=True).expand_as(stems)
            improvement.append(
                si_sdr(estimate.numpy(), stems.numpy()) - si_sdr(mixture.numpy(), stems.numpy())
            )
            sounding = is_active(stems.numpy())
            active.append(sounding & (sounding.sum(1, keepdims=True) > 1))
        scores, counted = np.concatenate(improvement), np.concatenate(active)
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
        levels = [torch.full(stems.shape[:2], level, device=stems.device) for level in SIGMAS]
        return torch.stack(
            [(network(stems + s[..., None] * noise, s) - stems).square().mean() for s in levels]
        )


def expect_wiener_errors(stems: Tensor) -> Tensor:
    """Mean squared error that the static Wiener filter of these stems is expected to leave at each sigma.

    Shape:
        ``[B, S, T] -> [sigmas]``
    """
    stft = Stft(1024, 256)
    power = torch.stack([stft(item).square().sum(1).mean(-1) for item in stems]).mean(0)
    both_sides = torch.full_like(power, 2 / stft.n_fft)
    both_sides[:, [0, -1]] /= 2
    noise = torch.tensor(SIGMAS)[:, None, None].square()
    return (power * noise / (power + noise) * both_sides).sum(-1).mean(-1)
