"""The layers of the prior over sketches.

Source: tokens of each stem attend along time, then to the other stems at the same instant
(SyncTrack); rotary positions, arXiv 2104.09864; modulation by the noise level, arXiv 2212.09748.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

ROTARY_BASE = 1e4
NEAR = 5
"""Tokens that a layer mixes before attention along time."""


class GroupLinear(nn.Module):
    """One linear map per group of stems, ``[B, groups, tokens, F] -> [B, groups, tokens, C]``."""

    def __init__(self, groups: int, features: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(groups, features, channels) * features**-0.5)
        self.bias = nn.Parameter(torch.zeros(groups, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map the features of each group."""
        return x @ self.weight + self.bias


class LevelEmbedding(nn.Module):
    """What scales and shifts the layers: an embedding of the noise levels at each token.

    Args:
        groups: Groups of stems.
        stems_per_group: Stems of each.
        width: Channels per token.
        bounds: Smallest and largest sigma; lower ones are known, higher ones count as the largest.
    """

    FREQUENCIES = 8

    frequencies: Tensor

    def __init__(
        self, groups: int, stems_per_group: int, width: int, bounds: tuple[float, float]
    ) -> None:
        super().__init__()
        self.bounds = bounds
        self.groups = groups
        features = (2 * self.FREQUENCIES + 2) * stems_per_group
        self.enter = GroupLinear(groups, features, width)
        self.leave = GroupLinear(1, width, SketchLayer.MODULATIONS * width)
        nn.init.zeros_(self.leave.weight)
        frequencies = torch.pi * torch.arange(1.0, self.FREQUENCIES + 1, dtype=torch.float32) / 4
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, sigma: Tensor) -> Tensor:
        """``[B, S, tokens] -> [B, groups, tokens, MODULATIONS, width]``."""
        low, high = self.bounds
        clipped = sigma.clamp(low, high)
        # The logarithm of sigma, scaled to 0 .. 1.
        level = ((clipped / low).log() / math.log(high / low))[..., None]
        waves = level * self.frequencies
        known = (sigma <= low)[..., None].to(level.dtype)
        features = torch.cat((2 * level - 1, known, waves.sin(), waves.cos()), -1)
        if self.groups == 1:
            features = features.transpose(1, 2).flatten(2)[:, None]
        h = functional.silu(self.enter(features.to(self.leave.weight.dtype)))
        modulations: Tensor = self.leave(h)
        return torch.unflatten(modulations, -1, (SketchLayer.MODULATIONS, -1))


class SketchLayer(nn.Module):
    """Attention along time, attention over stems where they have tokens of their own, and a feed.

    Each is residual. Before attention along time, a convolution over five tokens mixes neighbours.
    """

    MODULATIONS = 6

    def __init__(self, width: int, heads: int, *, across: bool) -> None:
        super().__init__()
        self.heads = heads
        self.modulation = nn.Parameter(torch.zeros(1, self.MODULATIONS, width))
        self.norm_time = nn.LayerNorm(width, elementwise_affine=False)
        self.near = nn.Conv1d(width, width, NEAR, padding=NEAR // 2, groups=width)
        self.time = Attention(width, heads)
        self.norm_across = nn.LayerNorm(width) if across else None
        self.across = Attention(width, heads) if across else None
        self.norm_feed = nn.LayerNorm(width, elementwise_affine=False)
        last = nn.Linear(4 * width, width)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), last)

    def forward(self, x: Tensor, level: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """``[B, groups, tokens, width] -> [B, groups, tokens, width]``."""
        batch, groups, _, _ = x.shape
        scale, shift, gate, scale_feed, shift_feed, gate_feed = (level + self.modulation).unbind(3)
        h = self.norm_time(x) * (1 + scale) + shift
        h = h.flatten(0, 1)
        h = h + self._mix_near(h)
        x = x + (1 + gate) * self.time(h, rotation).unflatten(0, (batch, groups))
        if self.across is not None and self.norm_across is not None:
            h = self.norm_across(x).transpose(1, 2)
            across = self.across(h.flatten(0, 1), None).unflatten(0, (batch, -1))
            x = x + across.transpose(1, 2)
        h = self.norm_feed(x) * (1 + scale_feed) + shift_feed
        return x + (1 + gate_feed) * self.feed(h)

    def _mix_near(self, x: Tensor) -> Tensor:
        """The convolution along time, ``[N, tokens, width] -> [N, tokens, width]``."""
        if not (self.training and torch.is_grad_enabled()):
            return self.near(x.transpose(1, 2)).transpose(1, 2)
        # Written out: PyTorch's own, compiled in bfloat16 on a CPU, gives NaN as gradients.
        weight = self.near.weight.to(x.dtype)
        padded = functional.pad(x, (0, 0, NEAR // 2, NEAR // 2))
        shifted = [padded[:, k : k + x.shape[1]] * weight[:, 0, k] for k in range(NEAR)]
        assert self.near.bias is not None
        return torch.stack(shifted).sum(0) + self.near.bias.to(x.dtype)


class Attention(nn.Module):
    """Self-attention, with rotary positions where there is an order."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
        """``[N, L, width] -> [N, L, width]``."""
        parts = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        if rotation is not None:
            query, key = rotate(query, rotation), rotate(key, rotation)
        attended = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out


def rotate_by_time(length: int, features: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions, ``[length, features]`` each."""
    half = features // 2
    halves = torch.arange(half, dtype=torch.float32, device=like.device)
    places = torch.arange(length, dtype=torch.float32, device=like.device)
    angles = places[:, None] * ROTARY_BASE ** (-halves / half)
    angles = torch.cat((angles, angles), 1)
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn pairs of features by their angles, ``[..., length, features]``."""
    cosine, sine = rotation
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat((-second, first), -1) * sine
