"""The layers of the embedded network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU and a 3x3 convolution, twice, then a mix over bands.

    The embedding scales and shifts what the second convolution gets. A new block returns its first
    ``channels`` inputs unchanged, so blocks can be added to a trained network.
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
        for layer in (self.conv_out, self.bands_out, self.skip):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)
        if isinstance(self.skip, nn.Conv2d):
            nn.init.dirac_(self.skip.weight)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """``[B, channels_in, bands, tokens] -> [B, channels, bands, tokens]``."""
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, 1)
        h = self.conv_in(functional.silu(self.norm_in(x)))
        h = self.conv_out(functional.silu(self.norm_out(h) * (1 + scale) + shift))
        x = self.skip(x) + h
        mixed = functional.silu(self.bands_in(self.norm_bands(x).transpose(2, 3)))
        return x + self.bands_out(mixed).transpose(2, 3)


class TransformerLayer(nn.Module):
    """Self-attention along time or over bands, then a feed-forward layer; both are residual.

    Along time, a token attends to the tokens of its band. Attention decays with distance (ALiBi,
    arXiv 2108.12409): half of the heads look back, the others ahead, each with its own reach. So
    the layer distinguishes before from after and near from far, and chunks may be longer than
    those of the training. Over bands, a token attends to the other bands at the same time.

    Args:
        channels: Channels per token.
        heads: Attention heads.
        time: Whether it attends along time; otherwise over bands.
    """

    BEHIND = 4.0
    """Decay per token on the side that a head does not look at."""

    def __init__(self, channels: int, heads: int, *, time: bool) -> None:
        super().__init__()
        self.heads = heads
        self.time = time
        self.norm_attention = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.out = nn.Linear(channels, channels)
        self.norm_feed = nn.LayerNorm(channels)
        last = nn.Linear(3 * channels, channels)
        self.feed = nn.Sequential(nn.Linear(channels, 3 * channels), nn.SiLU(), last)
        # A new layer changes nothing, so layers can be added to a trained network.
        for layer in (self.out, last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, bands, tokens, channels] -> [B, bands, tokens, channels]``."""
        if not self.time:
            x = x.transpose(1, 2)
        x = x + self.out(self._attend(self.norm_attention(x)))
        x = x + self.feed(self.norm_feed(x))
        return x if self.time else x.transpose(1, 2)

    def _attend(self, x: Tensor) -> Tensor:
        """Attention along the third axis, ``[B, N, L, channels] -> [B, N, L, channels]``."""
        batch, others, positions, channels = x.shape
        features = channels // self.heads
        qkv = self.qkv(x).view(batch * others, positions, 3, self.heads, features)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        decay = self._decay(positions, x) if self.time else None
        if torch.is_grad_enabled():
            # Written out: for sequences as short as these, the backward pass of PyTorch's fused
            # attention takes four times as long in bfloat16 on a CPU.
            logits = (query * features**-0.5) @ key.transpose(2, 3)
            weights = (logits if decay is None else logits + decay).softmax(-1)
            attended = weights.to(value.dtype) @ value
        else:
            attended = functional.scaled_dot_product_attention(query, key, value, decay)
        return attended.transpose(1, 2).reshape(x.shape)

    def _decay(self, tokens: int, like: Tensor) -> Tensor:
        """What is added to the logits of the attention, ``[1, heads, tokens, tokens]``.

        The slopes of the heads go from 1/2 to 1/256 per token.
        """
        time = torch.arange(tokens, device=like.device, dtype=torch.float32)
        distance = time - time[:, None]
        head = torch.arange(self.heads, device=like.device)
        slopes = 2.0 ** -(1 + 7 * (head // 2) / max(1, self.heads // 2 - 1))
        direction = head % 2 * 2 - 1
        ahead = direction[:, None, None] * distance
        penalty = torch.where(ahead >= 0, slopes[:, None, None] * ahead, -self.BEHIND * ahead)
        return -penalty[None].to(like.dtype)


class BandLinear(nn.Module):
    """One linear map per band, from features of bins and frames to channels of tokens, or back.

    Args:
        bands: Groups of bands from low to high, ``(number of bands, bins per band)``.
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
        self.groups = bands
        self.frames = frames
        self.features = features
        self.split = split
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for count, width in bands:
            inside = features * width * frames
            fan_in, fan_out = (inside, channels) if split else (channels, inside)
            # The last layer of a network starts at zero.
            scale = fan_in**-0.5 if split else 0.0
            self.weights.append(nn.Parameter(torch.randn(count, fan_in, fan_out) * scale))
            self.biases.append(nn.Parameter(torch.zeros(count, 1, fan_out)))

    def forward(self, x: Tensor) -> Tensor:
        """Map features to channels, or back.

        Shape:
            ``[B, features, bins, frames] -> [B, channels, bands, tokens]`` with ``split``, else the
            other way round.
        """
        return self._to_tokens(x) if self.split else self._to_bins(x)

    def _to_tokens(self, x: Tensor) -> Tensor:
        batch, features, _, frames = x.shape
        tokens = frames // self.frames
        parts = []
        start = 0
        for (count, width), weight, bias in zip(
            self.groups, self.weights, self.biases, strict=True
        ):
            part = x[:, :, start : start + count * width]
            part = part.reshape(batch, features, count, width, tokens, self.frames)
            rows = part.permute(2, 0, 4, 1, 3, 5).reshape(count, batch * tokens, -1)
            mapped = torch.baddbmm(bias, rows, weight)
            parts.append(mapped.view(count, batch, tokens, -1))
            start += count * width
        # In PyTorch's channels-last format, which the next layers keep: on a CPU they are a third
        # faster in it.
        return torch.cat(parts).transpose(0, 1).contiguous().permute(0, 3, 1, 2)

    def _to_bins(self, x: Tensor) -> Tensor:
        batch, channels, _, tokens = x.shape
        groups = torch.split(x.permute(2, 0, 3, 1), [count for count, _ in self.groups])
        parts = []
        for (count, width), part, weight, bias in zip(
            self.groups, groups, self.weights, self.biases, strict=True
        ):
            mapped = torch.baddbmm(bias, part.reshape(count, batch * tokens, channels), weight)
            mapped = mapped.view(count, batch, tokens, self.features, width, self.frames)
            mapped = mapped.permute(1, 3, 0, 4, 2, 5)
            parts.append(mapped.reshape(batch, self.features, count * width, tokens * self.frames))
        return torch.cat(parts, 2)


class SigmaEmbedding(nn.Module):
    """An embedding of the noise level of each stem, and of whether the mixture is given.

    Args:
        stems: Number of stems.
        size: Size of the embedding.
        bounds: Smallest and largest sigma; lower and higher ones count as these.
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
        frequencies = torch.pi * torch.arange(1.0, self.FREQUENCIES + 1, dtype=torch.float32) / 4
        self.register_buffer("frequencies", frequencies, persistent=False)
        log_bounds = torch.tensor(bounds, dtype=torch.float32).log()
        self.register_buffer("log_bounds", log_bounds, persistent=False)

    def forward(self, sigma: Tensor, given: Tensor) -> Tensor:
        """``[B, S], [B] -> [B, size]``; ``given`` is 1 where the mixture is given."""
        low, high = self.log_bounds
        log_sigma = sigma.clamp(self.sigma_min, self.sigma_max).log()
        # The logarithm of sigma, scaled to 0 .. 1.
        level = ((log_sigma - low) / (high - low))[..., None]
        waves = level * self.frequencies
        features = torch.cat((2 * level - 1, waves.sin(), waves.cos()), -1).flatten(1)
        out: Tensor = self.layers(torch.cat((features, given[:, None]), -1))
        return out
