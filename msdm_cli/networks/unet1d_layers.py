"""The layers of the paper's network, over rows: ``[B, L, channels]``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from msdm_cli.networks.network import check_positive
from msdm_cli.networks.row_layers import RowConv, RowLengthen, RowLinear, RowNorm


@dataclass(frozen=True)
class Unet1dConfig:
    """The size of a network; that of the paper by default.

    Attributes:
        stems: Number of stems S; 1 for the paper's per-stem models.
        channels: Channels after patching.
        patch_factor: Samples that make one position.
        multipliers: Channels per level, in units of ``channels``; the first is for the patches.
        factors: How much each level shortens; 1 for not at all.
        num_blocks: Residual blocks per level.
        attentions: Whether a level has a transformer.
        heads: Attention heads.
        head_features: Features per head.
        feed_multiplier: Width of the feed-forward layers, in units of their input.
        groups: Groups of the normalisations.
        kernel_multiplier: Kernel of the shortening convolutions is this times their factor, plus
            one.
        sigma_data: Standard deviation of the data.
        skip_scale: Whether what a level on the way up gets from the way down is scaled by
            ``sqrt(1/2)``.
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
    skip_scale: bool = True

    def __post_init__(self) -> None:
        check_positive(self)
        levels = len(self.multipliers) - 1
        if not levels == len(self.factors) == len(self.num_blocks) == len(self.attentions):
            raise ValueError(f"expected factors, num_blocks and attentions of {levels} levels")
        if self.kernel_multiplier % 2:
            raise ValueError(f"expected an even kernel_multiplier, got {self.kernel_multiplier}")
        if self.multipliers[0] != 1:
            raise ValueError(f"expected multipliers that begin with 1, got {self.multipliers}")
        if self.channels % 2 or self.channels % self.patch_factor:
            raise ValueError(
                f"expected channels that are a multiple of 2 and of {self.patch_factor}, "
                f"got {self.channels}"
            )

    @property
    def length_multiple(self) -> int:
        """The network takes lengths that are multiples of this, in samples."""
        return self.patch_factor * math.prod(self.factors)


class ResnetBlock(nn.Module):
    """GroupNorm, SiLU and a convolution over 3 positions, twice.

    The embedding of the noise level scales and shifts what the second convolution gets.
    """

    def __init__(self, channels_in: int, channels: int, groups: int, embedding: int) -> None:
        super().__init__()
        self.norm_in = RowNorm(groups, channels_in)
        self.conv_in = RowConv(channels_in, channels, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * channels)
        self.norm_out = RowNorm(groups, channels)
        self.conv_out = RowConv(channels, channels, 3, padding=1)
        self.skip = RowLinear(channels_in, channels) if channels_in != channels else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """``[B, L, channels_in], [B, embedding] -> [B, L, channels]``; SiLU was applied before."""
        scale, shift = self.modulation(embedding)[:, None].chunk(2, 2)
        inplace = not torch.is_grad_enabled()
        h = self.conv_in(functional.silu(self.norm_in(x), inplace))
        modulated = torch.addcmul(shift, self.norm_out(h), scale + 1)
        h = self.conv_out(functional.silu(modulated, inplace))
        return h.add_(self.skip(x)) if inplace else h + self.skip(x)


class Attention(nn.Module):
    """Self-attention, without a residual and without an encoding of positions."""

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
    """Self-attention, then a feed-forward layer; both are residual."""

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
    """A shortening convolution, then blocks, perhaps a transformer; it gives the output of each."""

    def __init__(self, level: int, config: Unet1dConfig, embedding: int) -> None:
        super().__init__()
        before = config.channels * config.multipliers[level]
        here = config.channels * config.multipliers[level + 1]
        factor = config.factors[level]
        padding = config.kernel_multiplier // 2 * factor
        self.shorten = RowConv(before, here, 2 * padding + 1, stride=factor, padding=padding)
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
    """Blocks, perhaps a transformer, then a lengthening convolution.

    Each block also gets an output of the same level on the way down.
    """

    def __init__(self, level: int, config: Unet1dConfig, embedding: int) -> None:
        super().__init__()
        after = config.channels * config.multipliers[level]
        here = config.channels * config.multipliers[level + 1]
        attention = config.attentions[level]
        self.blocks = nn.ModuleList(
            ResnetBlock(2 * here, here, config.groups, embedding)
            for _ in range(config.num_blocks[level] + attention)
        )
        self.transformer = Transformer(here, config) if attention else None
        factor = config.factors[level]
        self.lengthen = (
            RowConv(here, after, 3, padding=1) if factor == 1 else RowLengthen(here, after, factor)
        )
        self.skip_scale = 2**-0.5 if config.skip_scale else 1.0

    def forward(self, x: Tensor, skips: list[Tensor], embedding: Tensor) -> Tensor:
        """``[B, L, here], [[B, L, here], ...] -> [B, L * factor, after]``."""
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(torch.cat((x, skip * self.skip_scale), 2), embedding)
        if self.transformer is not None:
            x = self.transformer(x)
        lengthened: Tensor = self.lengthen(x)
        return lengthened
