"""The layers of the embedded network: between bins and tokens, over tokens, and the embedding of the question."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU, 3x3 convolution, twice, with scale and shift from the embedding, then a mix over bands.

    A new block gives its (first) ``channels`` inputs as they are: trained networks can be given more.
    """

    def __init__(self, channels_in: int, channels: int, embedding: int, bands: int) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(8, channels_in)
        self.conv_in = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm_out = nn.GroupNorm(8, channels)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * channels)
        self.skip = (
            nn.Conv2d(channels_in, channels, 1) if channels_in != channels else nn.Identity()
        )
        self.norm_bands = nn.GroupNorm(8, channels)
        self.bands_in = nn.Linear(bands, bands)
        self.bands_out = nn.Linear(bands, bands)
        for parameter in (
            *self.conv_out.parameters(),
            *self.bands_out.parameters(),
            *self.skip.parameters(),
        ):
            nn.init.zeros_(parameter)
        if isinstance(self.skip, nn.Conv2d):
            nn.init.dirac_(self.skip.weight)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """``[B, channels_in, bands, tokens] -> [B, channels, bands, tokens]``."""
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, 1)
        h = self.conv_in(nn.functional.silu(self.norm_in(x)))
        h = self.conv_out(nn.functional.silu(self.norm_out(h) * (1 + scale) + shift))
        x = self.skip(x) + h
        mixed = nn.functional.silu(self.bands_in(self.norm_bands(x).transpose(2, 3)))
        return x + self.bands_out(mixed).transpose(2, 3)


class TransformerLayer(nn.Module):
    """Self-attention along time (within a band) or over bands (within a token), then a feed-forward layer.

    Both are residual. Along time, attention decays with distance (ALiBi, arXiv 2108.12409): half of the heads look
    back, the others ahead, each with a reach of its own. So it knows before from after, and near from far, and chunks
    may be longer than those of training.

    Args:
        channels: Channels per token.
        heads: Attention heads.
        time: Along time; otherwise over bands.
    """

    BEHIND = 4.0  # slope on the side that a head does not look to

    def __init__(self, channels: int, heads: int, *, time: bool) -> None:
        super().__init__()
        self.heads, self.time = heads, time
        self.norm_attention = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.out = nn.Linear(channels, channels)
        self.norm_feed = nn.LayerNorm(channels)
        last = nn.Linear(3 * channels, channels)
        self.feed = nn.Sequential(nn.Linear(channels, 3 * channels), nn.SiLU(), last)
        for layer in (
            self.out,
            last,
        ):  # a new layer changes nothing: trained networks can be given more
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, bands, tokens, channels] -> [B, bands, tokens, channels]``."""
        if not self.time:
            x = x.transpose(1, 2)
        rows, others, positions, channels = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(
            rows * others, positions, 3, self.heads, channels // self.heads
        )
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        decay = self._decay(positions, x) if self.time else None
        if torch.is_grad_enabled():
            # Written out: of rows as short as these, PyTorch's fused attention in bfloat16 takes four times as long
            # backwards on a CPU.
            logits = (query * (channels // self.heads) ** -0.5) @ key.transpose(2, 3)
            attended = (logits if decay is None else logits + decay).softmax(-1).to(
                value.dtype
            ) @ value
        else:
            attended = nn.functional.scaled_dot_product_attention(query, key, value, decay)
        x = x + self.out(attended.transpose(1, 2).reshape(x.shape))
        x = x + self.feed(self.norm_feed(x))
        return x if self.time else x.transpose(1, 2)

    def _decay(self, tokens: int, like: Tensor) -> Tensor:
        """What is added to the logits of attention, ``[1, heads, tokens, tokens]``: slopes from 1/2 down to 1/256."""
        time = torch.arange(tokens, device=like.device, dtype=torch.float32)
        distance = time - time[:, None]
        reach = torch.arange(self.heads, device=like.device) // 2
        slopes = 2.0 ** -(1 + 7 * reach / max(1, self.heads // 2 - 1))
        ahead = (torch.arange(self.heads, device=like.device) % 2 * 2 - 1)[:, None, None] * distance
        return -torch.where(ahead >= 0, slopes[:, None, None] * ahead, -self.BEHIND * ahead)[
            None
        ].to(like.dtype)


class BandLinear(nn.Module):
    """One linear map per band between ``features`` per bin and frame, and ``channels`` per band and token.

    Args:
        bands: ``(count, width)`` groups of bands from low to high, in bins.
        frames: Frames per token.
        features: Features per bin and frame.
        channels: Channels per token.
        split: True from bins to tokens, False from tokens to bins.
    """

    def __init__(
        self,
        bands: Sequence[Sequence[int]],
        frames: int,
        *,
        features: int,
        channels: int,
        split: bool,
    ) -> None:
        super().__init__()
        self.groups, self.frames, self.features, self.split = bands, frames, features, split
        weights, biases = [], []
        for count, width in bands:
            inside = features * width * self.frames
            fan_in, fan_out = (inside, channels) if split else (channels, inside)
            scale = fan_in**-0.5 if split else 0.0
            weights.append(nn.Parameter(torch.randn(count, fan_in, fan_out) * scale))
            biases.append(nn.Parameter(torch.zeros(count, 1, fan_out)))
        self.weights, self.biases = nn.ParameterList(weights), nn.ParameterList(biases)

    def forward(self, x: Tensor) -> Tensor:
        """Map features to tokens, or back.

        Shape:
            split: ``[B, features, bins, frames] -> [B, channels, bands, tokens]``, else the other way round.
        """
        return self._to_tokens(x) if self.split else self._to_bins(x)

    def _to_tokens(self, x: Tensor) -> Tensor:
        batch, features, _, frames = x.shape
        tokens, parts, start = frames // self.frames, [], 0
        for (count, width), weight, bias in zip(
            self.groups, self.weights, self.biases, strict=True
        ):
            part = x[:, :, start : start + count * width]
            part = part.reshape(batch, features, count, width, tokens, self.frames).permute(
                2, 0, 4, 1, 3, 5
            )
            mapped = torch.baddbmm(bias, part.reshape(count, batch * tokens, -1), weight)
            parts.append(mapped.view(count, batch, tokens, -1))
            start += count * width
        # In PyTorch's channels-last format: what follows keeps it, and is a third faster on a CPU than in the other.
        return torch.cat(parts).transpose(0, 1).contiguous().permute(0, 3, 1, 2)

    def _to_bins(self, x: Tensor) -> Tensor:
        batch, channels, _, tokens = x.shape
        groups = torch.split(x.permute(2, 0, 3, 1), [count for count, _ in self.groups])
        parts = []
        for (count, width), part, weight, bias in zip(
            self.groups, groups, self.weights, self.biases, strict=True
        ):
            mapped = torch.baddbmm(bias, part.reshape(count, batch * tokens, channels), weight)
            mapped = mapped.view(count, batch, tokens, self.features, width, self.frames).permute(
                1, 3, 0, 4, 2, 5
            )
            parts.append(mapped.reshape(batch, self.features, count * width, tokens * self.frames))
        return torch.cat(parts, 2)


class SigmaEmbedding(nn.Module):
    """What the network is told about the question: the sigma of each stem, and whether the mixture is given.

    Args:
        stems: Number of stems.
        size: Size of the embedding.
        bounds: Smallest and largest sigma that are told apart.
    """

    FREQUENCIES = 16

    frequencies: Tensor
    log_bounds: Tensor

    def __init__(self, stems: int, size: int, bounds: tuple[float, float]) -> None:
        super().__init__()
        self.sigma_min, self.sigma_max = bounds
        features = stems * (2 * self.FREQUENCIES + 1) + 1
        self.layers = nn.Sequential(
            nn.Linear(features, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU()
        )
        frequencies = torch.pi * torch.arange(1, self.FREQUENCIES + 1) / 4
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.register_buffer("log_bounds", torch.tensor(bounds).log(), persistent=False)

    def forward(self, sigma: Tensor, given: Tensor) -> Tensor:
        """``[B, S], [B] -> [B, embedding]``; the logarithm of sigma is scaled to 0 .. 1 first."""
        low, high = self.log_bounds
        level = ((sigma.clamp(self.sigma_min, self.sigma_max).log() - low) / (high - low))[
            ..., None
        ]
        waves = level * self.frequencies
        features = torch.cat((2 * level - 1, waves.sin(), waves.cos()), -1).flatten(1)
        out: Tensor = self.layers(torch.cat((features, given[:, None]), -1))
        return out
