"""The paper's network: a U-Net over the joint waveform of the stems, and its denoiser.

One sigma is shared by all stems, and the mixture is not an input: conditions are imposed by the sampler. The denoiser
is EDM's (arXiv 2206.00364, eq. 7) with ``v = sigma_data^2``,

    D = c_skip x + c_out F(c_in x, ln(sigma) / 4),  clamped to [-1, 1]
    c_skip = v / (sigma^2 + v)    c_out = sigma sigma_data / sqrt(sigma^2 + v)    c_in = 1 / sqrt(sigma^2 + v)

With the default config it has the 405 497 700 parameters of the authors' checkpoints.

Source: MSDM, arXiv 2302.02257, appendix; Mousai, arXiv 2301.11757, for the layers. A checkpoint of the authors becomes
one of ours by renaming (``msdm_cli.models.checkpoint``), and gives the same output to float32 rounding.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from msdm_cli.networks.network import Network
from msdm_cli.networks.row_layers import RowConv, RowLengthen, RowLinear, RowNorm


@dataclass(frozen=True)
class Unet1dConfig:
    """The size of a network; that of the paper by default.

    Attributes:
        stems: Number of stems S; 1 for the paper's per-stem models.
        channels: Channels after patching.
        patch_factor: Samples that are folded into one position.
        multipliers: Channels per level, in units of ``channels``; the first is that of the patches.
        factors: How much each level shortens.
        num_blocks: Residual blocks per level.
        attentions: Whether a level has a transformer.
        heads: Attention heads.
        head_features: Features per head.
        feed_multiplier: Width of the feed-forward layers, in units of their input.
        groups: Groups of the normalisations.
        kernel_multiplier: Kernel of the shortening convolutions, in units of their factor, but for one.
        sigma_data: Standard deviation of the data.
    """

    stems: int = 4
    channels: int = 256
    patch_factor: int = 16
    multipliers: Sequence[int] = (1, 2, 4, 4, 4, 4, 4)
    factors: Sequence[int] = (4, 4, 4, 2, 2, 2)
    num_blocks: Sequence[int] = (2, 2, 2, 2, 2, 2)
    attentions: Sequence[bool] = (False, False, False, True, True, True)
    heads: int = 8
    head_features: int = 128
    feed_multiplier: int = 2
    groups: int = 8
    kernel_multiplier: int = 2
    sigma_data: float = 0.2

    def __post_init__(self) -> None:
        levels = len(self.multipliers) - 1
        if not levels == len(self.factors) == len(self.num_blocks) == len(self.attentions):
            raise ValueError(f"expected factors, num_blocks and attentions of {levels} levels")
        if min(self.factors) < 2 or self.kernel_multiplier % 2:
            raise ValueError("expected factors of at least 2 and an even kernel multiplier")

    @property
    def length_multiple(self) -> int:
        """What the length of an input must be a multiple of, in samples."""
        return self.patch_factor * math.prod(self.factors)


class ResnetBlock(nn.Module):
    """GroupNorm, SiLU, convolution over 3 positions, twice; the embedding scales and shifts the second input."""

    def __init__(self, channels_in: int, channels: int, groups: int, embedding: int) -> None:
        super().__init__()
        self.norm_in = RowNorm(groups, channels_in)
        self.conv_in = RowConv(channels_in, channels, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * channels)
        self.norm_out = RowNorm(groups, channels)
        self.conv_out = RowConv(channels, channels, 3, padding=1)
        self.skip = RowLinear(channels_in, channels) if channels_in != channels else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """``[B, L, channels_in], [B, embedding] -> [B, L, channels]``; the embedding after its SiLU."""
        scale, shift = self.modulation(embedding)[:, None].chunk(2, 2)
        inplace = not torch.is_grad_enabled()
        h = self.conv_in(functional.silu(self.norm_in(x), inplace))
        h = self.conv_out(
            functional.silu(torch.addcmul(shift, self.norm_out(h), scale + 1), inplace)
        )
        return h.add_(self.skip(x)) if inplace else h + self.skip(x)


class Attention(nn.Module):
    """Self-attention over positions, without a residual and without positions."""

    def __init__(self, channels: int, heads: int, head_features: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels, bias=False)
        self.query = RowLinear(channels, heads * head_features, bias=False)
        self.key_value = RowLinear(channels, 2 * heads * head_features, bias=False)
        self.out = RowLinear(heads * head_features, channels, bias=False)
        self.norm_out = nn.LayerNorm(channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, channels] -> [B, L, channels]``."""
        x = self.norm(x)
        parts = (self.query(x), *self.key_value(x).chunk(2, -1))
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        attended = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.norm_out(self.out(attended.transpose(1, 2).flatten(2)))
        return out


class Transformer(nn.Module):
    """Self-attention, then a feed-forward layer, both residual."""

    def __init__(self, channels: int, config: Unet1dConfig) -> None:
        super().__init__()
        inside = config.feed_multiplier * channels
        self.attention = Attention(channels, config.heads, config.head_features)
        self.feed = nn.Sequential(
            nn.LayerNorm(channels, bias=False),
            RowLinear(channels, inside, bias=False),
            nn.GELU(),
            nn.LayerNorm(inside, bias=False),
            RowLinear(inside, channels, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, channels] -> [B, L, channels]``."""
        x = x + self.attention(x)
        return x + self.feed(x)


class DownLevel(nn.Module):
    """Shortens, then blocks and perhaps a transformer. Gives the output of each."""

    def __init__(self, level: int, config: Unet1dConfig, embedding: int) -> None:
        super().__init__()
        before, here = (config.channels * config.multipliers[level + offset] for offset in (0, 1))
        factor, half = config.factors[level], config.kernel_multiplier // 2
        self.shorten = RowConv(
            before, here, 2 * half * factor + 1, stride=factor, padding=half * factor
        )
        self.blocks = nn.ModuleList(
            ResnetBlock(here, here, config.groups, embedding)
            for _ in range(config.num_blocks[level])
        )
        self.transformer = Transformer(here, config) if config.attentions[level] else None

    def forward(self, x: Tensor, embedding: Tensor) -> list[Tensor]:
        """``[B, L, before] -> [[B, L / factor, here], ...]``."""
        outputs = []
        x = self.shorten(x)
        for block in self.blocks:
            x = block(x, embedding)
            outputs.append(x)
        if self.transformer is not None:
            outputs.append(self.transformer(x))
        return outputs


class UpLevel(nn.Module):
    """Blocks, each beside an output of the level on the way down, perhaps a transformer, then lengthens."""

    SKIP_SCALE = 2**-0.5

    def __init__(self, level: int, config: Unet1dConfig, embedding: int) -> None:
        super().__init__()
        after, here = (config.channels * config.multipliers[level + offset] for offset in (0, 1))
        factor, attention = config.factors[level], config.attentions[level]
        self.blocks = nn.ModuleList(
            ResnetBlock(2 * here, here, config.groups, embedding)
            for _ in range(config.num_blocks[level] + attention)
        )
        self.transformer = Transformer(here, config) if attention else None
        self.lengthen = RowLengthen(here, after, factor)

    def forward(self, x: Tensor, skips: list[Tensor], embedding: Tensor) -> Tensor:
        """``[B, L, here], [[B, L, here], ...] -> [B, L * factor, after]``."""
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(torch.cat((x, skip * self.SKIP_SCALE), 2), embedding)
        if self.transformer is not None:
            x = self.transformer(x)
        lengthened: Tensor = self.lengthen(x)
        return lengthened


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
        channels, embedding = config.channels, 4 * config.channels
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
        """Compute the raw network in another precision, but for the embedding of the noise level."""
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
            sigma: Noise level, above 0. Stems share one: the largest counts.
            mixture: Not used; the network was not trained with it.

        Returns:
            Estimate of the clean stems, in [-1, 1].

        Shape:
            ``[B, S, T], [B, S] -> [B, S, T]``, T a multiple of ``config.length_multiple``.
        """
        del mixture
        shared = sigma.amax(1)
        level, variance = shared[:, None, None], self.config.sigma_data**2
        total = level.square() + variance
        skip, out = variance / total, level * self.config.sigma_data * total.rsqrt()
        return torch.addcmul(
            skip * x, out, self.network(total.rsqrt() * x, shared.log() / 4)
        ).clamp(-1, 1)

    def loss(self, clean: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
        """The paper's loss, EDM's weight on the mean squared error, ``[B, S, T], [B], [B, S, T] -> [B]``."""
        variance = self.config.sigma_data**2
        denoised = self(
            clean + sigma[:, None, None] * noise, sigma[:, None].expand(clean.shape[:2])
        )
        weight = (sigma.square() + variance) / (sigma.square() * variance)
        return (denoised - clean).square().mean((1, 2)) * weight

    def network(self, x: Tensor, time: Tensor) -> Tensor:
        """The raw network F, ``[B, S, T], [B] -> [B, S, T]``; ``time`` is ``ln(sigma) / 4``."""
        dtype = self.bottom_attention.query.weight.dtype
        embedding = functional.silu(self._embed(time)).to(dtype)
        factor = self.config.patch_factor
        samples = self.patch(x.to(dtype).transpose(1, 2).contiguous(), embedding)
        # The channels of a patch: for each channel of its samples, the samples.
        patches = samples.unflatten(1, (-1, factor)).transpose(2, 3).flatten(2)
        h, skips = patches, []
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
        embedding = functional.gelu(
            self.time(torch.cat((time[:, None], angles.sin(), angles.cos()), 1))
        )
        for layer in self.mapping:
            embedding = functional.gelu(layer(embedding))
        return embedding


class PerStemUnet1d(Network):
    """The paper's second family ("weakly supervised"): independent priors, a network of one stem for each.

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
