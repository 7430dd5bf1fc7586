"""The paper's network: a U-Net over the joint waveform of the stems, and its denoiser.

All stems have one noise level, and the mixture is not an input: the sampler imposes conditions.
The denoiser is EDM's, with ``v = sigma_data^2``:

    D = c_skip x + c_out F(c_in x, ln(sigma) / 4),  clamped to [-1, 1]
    c_skip = v / (sigma^2 + v)    c_out = sigma sigma_data / sqrt(sigma^2 + v)    c_in = 1 /
    sqrt(sigma^2 + v)

With the default config it has the 405 497 700 parameters of the authors' checkpoints. A checkpoint
of the authors becomes one of ours by renaming (``msdm_cli.models.checkpoint``), and gives the same
output up to float32 rounding.

Source: MSDM, arXiv 2302.02257, appendix; EDM, arXiv 2206.00364, eq. 7; Mousai, arXiv 2301.11757,
for the layers.
"""

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional

from msdm_cli.networks.network import Network
from msdm_cli.networks.unet1d_layers import (
    Attention,
    DownLevel,
    ResnetBlock,
    Unet1dConfig,
    UpLevel,
)

__all__ = ["PerStemUnet1d", "Unet1d", "Unet1dConfig"]


class Unet1d(Network):
    """Denoiser ``D(x, sigma)`` of stems, over their waveforms.

    Args:
        config: Size of the network.
    """

    takes_mixture = False
    shares_sigma = True

    def __init__(self, config: Unet1dConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        embedding = 4 * channels
        self.frequencies = nn.Parameter(torch.randn(channels // 2))
        self.time = nn.Linear(channels + 1, embedding)
        self.mapping = nn.ModuleList(nn.Linear(embedding, embedding) for _ in range(2))
        inside = channels // config.patch_factor
        edge_groups = min(config.patch_factor, config.stems)
        self.patch = ResnetBlock(config.stems, inside, edge_groups, embedding)
        levels = range(len(config.factors))
        self.down = nn.ModuleList(DownLevel(level, config, embedding) for level in levels)
        lowest = channels * config.multipliers[-1]
        self.bottom_in = ResnetBlock(lowest, lowest, config.groups, embedding)
        self.bottom_attention = Attention(lowest, config.heads, config.head_features)
        self.bottom_out = ResnetBlock(lowest, lowest, config.groups, embedding)
        self.up = nn.ModuleList(UpLevel(level, config, embedding) for level in levels)
        self.unpatch = ResnetBlock(inside, config.stems, edge_groups, embedding)

    def cast(self, dtype: torch.dtype) -> None:
        """Compute the raw network in another precision, except the embedding of the noise level."""
        for part in (
            self.patch,
            self.down,
            self.bottom_in,
            self.bottom_attention,
            self.bottom_out,
            self.up,
            self.unpatch,
        ):
            part.to(dtype)

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems.

        Args:
            x: Noisy stems.
            sigma: Noise level, above 0. All stems have the same level: the largest of these.
            mixture: Not used, because the network was not trained with it.

        Returns:
            Estimate of the clean stems, in [-1, 1].

        Shape:
            ``[B, S, T], [B, S] -> [B, S, T]``, T a multiple of ``config.length_multiple``.
        """
        del mixture
        shared = sigma.amax(1)
        level = shared[:, None, None]
        variance = self.config.sigma_data**2
        total = level.square() + variance
        c_skip = variance / total
        c_out = level * self.config.sigma_data * total.rsqrt()
        c_in = total.rsqrt()
        raw = self.network(c_in * x, shared.log() / 4)
        return torch.addcmul(c_skip * x, c_out, raw).clamp(-1, 1)

    def loss(self, clean: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
        """The loss of the paper: the mean squared error with EDM's weight.

        Shape:
            ``[B, S, T], [B], [B, S, T] -> [B]``
        """
        variance = self.config.sigma_data**2
        noisy = clean + sigma[:, None, None] * noise
        denoised = self(noisy, sigma[:, None].expand(clean.shape[:2]))
        weight = (sigma.square() + variance) / (sigma.square() * variance)
        return (denoised - clean).square().mean((1, 2)) * weight

    def network(self, x: Tensor, time: Tensor) -> Tensor:
        """The raw network F, ``[B, S, T], [B] -> [B, S, T]``; ``time`` is ``ln(sigma) / 4``."""
        dtype = self.bottom_attention.query.weight.dtype
        embedding = functional.silu(self._embed(time)).to(dtype)
        factor = self.config.patch_factor
        samples = self.patch(x.to(dtype).transpose(1, 2).contiguous(), embedding)
        # The channels of a patch are the samples of its first channel, then those of the second...
        patches = samples.unflatten(1, (-1, factor)).transpose(2, 3).flatten(2)
        h = patches
        skips = []
        for down in self.down:
            skips.append(down(h, embedding))
            h = skips[-1][-1]
        h = self.bottom_in(h, embedding)
        h = self.bottom_attention(h)
        h = self.bottom_out(h, embedding)
        for up in reversed(self.up):
            h = up(h, skips.pop(), embedding)
        samples = (h + patches).unflatten(2, (-1, factor)).transpose(2, 3).flatten(1, 2)
        out: Tensor = self.unpatch(samples, embedding)
        return out.transpose(1, 2).to(x.dtype)

    def _embed(self, time: Tensor) -> Tensor:
        """Features of the noise level, ``[B] -> [B, embedding]``."""
        angles = 2 * torch.pi * time[:, None] * self.frequencies
        features = torch.cat((time[:, None], angles.sin(), angles.cos()), 1)
        embedding = functional.gelu(self.time(features))
        for layer in self.mapping:
            embedding = functional.gelu(layer(embedding))
        return embedding


class PerStemUnet1d(Network):
    """The paper's "weakly supervised" models: a network of its own for each stem.

    Args:
        config: Size of each network; ``config.stems`` is the number of networks.
    """

    takes_mixture = False
    shares_sigma = True

    def __init__(self, config: Unet1dConfig) -> None:
        super().__init__()
        self.config = config
        single = dataclasses.replace(config, stems=1)
        self.networks = nn.ModuleList(Unet1d(single) for _ in range(config.stems))

    def cast(self, dtype: torch.dtype) -> None:
        """Compute the raw networks in another precision."""
        for network in self.networks:
            network.cast(dtype)  # type: ignore[operator]

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems, each by itself, ``[B, S, T], [B, S] -> [B, S, T]``."""
        del mixture
        parts = zip(self.networks, torch.split(x, 1, 1), torch.split(sigma, 1, 1), strict=True)
        return torch.cat([network(stem, level) for network, stem, level in parts], 1)
