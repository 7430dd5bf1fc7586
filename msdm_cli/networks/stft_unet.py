"""The embedded network: a denoiser of waveforms that works in the time-frequency plane.

One network answers every question about the stems. Its inputs are the noisy stems, a noise level
for each stem and, optionally, the mixture:

- with the mixture and the largest noise level, it separates in one call; at lower levels it
  refines;
- with some stems at sigma ~ 0 and the others noisy, it imputes;
- with noisy stems alone, it is the joint prior of the paper (arXiv 2302.02257).

It corrects the exact answer for Gaussian stems (``msdm_cli.networks.gaussian_stems``). Its last
layer starts at zero, so an untrained network gives that answer.

Source: band split, arXiv 2209.15174; linear layers over frequency (time-distributed fully
connected), arXiv 1912.02591.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from msdm_cli.networks.band_layers import (
    BandLinear,
    ResidualBlock,
    SigmaEmbedding,
    TransformerLayer,
)
from msdm_cli.networks.gaussian_stems import Corrections, GaussianStems, Question
from msdm_cli.networks.matrix_stft import MatrixStft
from msdm_cli.networks.network import Network, check_positive
from msdm_cli.networks.stft_layer import StftLayer


@dataclass(frozen=True)
class StftUnetConfig:
    """The size of a network.

    Attributes:
        stems: Number of stems.
        n_fft: Window of the transform, in samples.
        hop: Hop of the transform, in samples.
        bands: Groups of bands from low to high, ``(number of bands, bins per band)``; they cover
            ``n_fft // 2`` bins.
        frames_per_token: Frames that make one token.
        channels: Channels per level; each level has half as many bands and tokens as the one
            before.
        blocks: Residual blocks of each level, on the way down and on the way up.
        attention_layers: Transformer layers at the lowest level, along time and over bands in turn.
        heads: Attention heads.
        embedding: Size of the embedding of the noise levels.
        sigma_min: Smallest noise level that differs from zero for the network.
        sigma_max: Largest noise level that differs from infinity for the network.
    """

    stems: int = 4
    n_fft: int = 1024
    hop: int = 256
    bands: Sequence[Sequence[int]] = ((20, 4), (14, 8), (10, 16), (4, 40))
    frames_per_token: int = 2
    channels: Sequence[int] = (48, 96, 192)
    blocks: Sequence[int] = (1, 1, 1)
    attention_layers: int = 3
    heads: int = 8
    embedding: int = 256
    sigma_min: float = 1e-4
    sigma_max: float = 10.0

    def __post_init__(self) -> None:
        check_positive(self, may_be_zero={"attention_layers"})
        if self.sigma_min >= self.sigma_max:
            raise ValueError(f"expected a sigma_min below {self.sigma_max}, got {self.sigma_min}")
        covered = sum(count * width for count, width in self.bands)
        if covered != self.n_fft // 2:
            raise ValueError(f"expected bands that cover {self.n_fft // 2} bins, got {covered}")
        if len(self.blocks) != len(self.channels):
            raise ValueError(f"expected blocks of {len(self.channels)} levels, got {self.blocks}")
        if self.num_bands % 2 ** (len(self.channels) - 1):
            raise ValueError(
                f"expected a number of bands divisible at every level, got {self.num_bands}"
            )

    @property
    def num_bands(self) -> int:
        """Number of bands."""
        return sum(count for count, _ in self.bands)

    @property
    def length_multiple(self) -> int:
        """The network takes lengths that are multiples of this, in samples."""
        return int(self.hop * self.frames_per_token * 2 ** (len(self.channels) - 1))


class StftUnet(Network):
    """Denoiser ``D(x, sigma, mixture)`` of stems, in the time-frequency plane.

    Args:
        config: Size of the network.
    """

    takes_mixture = True
    shares_sigma = False

    FEATURES_PER_SIGNAL = 3
    OUTPUTS_PER_STEM = 4

    sd: Tensor

    def __init__(self, config: StftUnetConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        levels = len(channels)
        self.stft = StftLayer(config.n_fft, config.hop)
        self.register_buffer("sd", torch.ones(config.stems, config.n_fft // 2 + 1))
        bounds = (config.sigma_min, config.sigma_max)
        self.embed = SigmaEmbedding(config.stems, config.embedding, bounds)
        tokens = (config.bands, config.frames_per_token)
        features = (config.stems + 1) * self.FEATURES_PER_SIGNAL
        self.split = BandLinear(*tokens, features=features, channels=channels[0], split=True)
        self.band_position = nn.Parameter(torch.randn(channels[0], config.num_bands, 1) * 0.02)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        self.shrink = nn.ModuleList()
        self.grow = nn.ModuleList()
        for level in range(levels):
            here = channels[level]
            self.down.append(self._make_blocks(level, here))
            self.up.append(self._make_blocks(level, 2 * here))
            if level + 1 < levels:
                self.shrink.append(nn.Conv2d(here, channels[level + 1], 2, stride=2))
                self.grow.append(nn.ConvTranspose2d(channels[level + 1], here, 2, stride=2))
        self.attention = nn.ModuleList(
            TransformerLayer(channels[-1], config.heads, time=index % 2 == 0)
            for index in range(config.attention_layers)
        )
        self.norm = nn.GroupNorm(8, channels[0])
        outputs = config.stems * self.OUTPUTS_PER_STEM
        self.merge = BandLinear(*tokens, features=outputs, channels=2 * channels[0], split=False)

    def _make_blocks(self, level: int, channels_in: int) -> nn.ModuleList:
        config = self.config
        sizes = channels_in, config.channels[level], config.embedding, config.num_bands // 2**level
        return nn.ModuleList(ResidualBlock(*sizes) for _ in range(config.blocks[level]))

    def cast(self, dtype: torch.dtype) -> None:
        """Compute what is between the features and the corrections in another precision."""
        for part in (
            self.split,
            self.down,
            self.up,
            self.shrink,
            self.grow,
            self.attention,
            self.norm,
            self.merge,
        ):
            part.to(dtype)
        self.band_position.data = self.band_position.data.to(dtype)

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems.

        Args:
            x: Noisy stems.
            sigma: Noise level of each stem; 0 for a stem that is known.
            mixture: The sum of the clean stems, if it is known.

        Returns:
            Estimate of the clean stems. With a mixture, they sum to it.

        Shape:
            ``[B, S, T], [B, S], [B, T] -> [B, S, T]``, T a multiple of ``config.length_multiple``.
        """
        given = torch.full_like(sigma[:, 0], 0.0 if mixture is None else 1.0)
        return self.denoise(
            x, sigma, torch.zeros_like(x[:, 0]) if mixture is None else mixture, given
        )

    def denoise(self, x: Tensor, sigma: Tensor, mixture: Tensor, given: Tensor) -> Tensor:
        """Estimate the clean stems; ``given`` is 0 where there is no mixture but zeros.

        Shape:
            ``[B, S, T], [B, S], [B, T], [B] -> [B, S, T]``
        """
        denoised = self.denoise_transform(self.stft(x), sigma, self.stft(mixture), given)
        return self.stft.inverse(denoised)

    def prepare_export(self) -> None:
        """Transform by products with matrices."""
        self.stft = MatrixStft(self.config.n_fft, self.config.hop)

    def denoise_transform(
        self, noisy: Tensor, sigma: Tensor, observed: Tensor, given: Tensor
    ) -> Tensor:
        """Estimate the transform of the clean stems, ``[B, S, 2, bins, frames]``.

        Args:
            noisy: Transform of the noisy stems, ``[B, S, 2, bins, frames]``.
            sigma: Noise level of each stem, ``[B, S]``.
            observed: Transform of the mixture, zeros where it is not given,
                ``[B, 2, bins, frames]``.
            given: 1 where the mixture is given, 0 where it is not, ``[B]``.
        """
        question = Question(noisy, sigma, observed, given)
        heads = self.network(question)
        # The Nyquist bin is in no band.
        heads = nn.functional.pad(heads, (0, 0, 0, 1))
        corrections = Corrections(*torch.split(heads, [1, 1, 2], 2))
        return self.gaussian.find_posterior(question, corrections)

    def posterior(self, noisy: Tensor, sigma: Tensor, observed: Tensor, given: Tensor) -> Tensor:
        """The posterior mean of Gaussian stems, with the arguments of ``denoise_transform``."""
        return self.gaussian.find_posterior(Question(noisy, sigma, observed, given))

    @property
    def gaussian(self) -> GaussianStems:
        """The stems as training found them."""
        return GaussianStems(self.sd, self.config.sigma_min)

    def network(self, question: Question) -> Tensor:
        """The learned part, ``-> [B, S, OUTPUTS_PER_STEM, bins - 1, frames]``: the corrections."""
        dtype = self.band_position.dtype
        embedding = self.embed(question.sigma, question.given).to(dtype)
        tokens = self.split(self.gaussian.describe(question).to(dtype)) + self.band_position
        h = tokens
        skips = []
        for level, blocks in enumerate(self.down):
            for block in blocks:  # type: ignore[attr-defined]
                h = block(h, embedding)
                skips.append(h)
            if level < len(self.shrink):
                h = self.shrink[level](h)
        h = h.permute(0, 2, 3, 1)
        for layer in self.attention:
            h = layer(h)
        h = h.permute(0, 3, 1, 2)
        for level in reversed(range(len(self.up))):
            for block in self.up[level]:  # type: ignore[attr-defined]
                h = block(torch.cat((h, skips.pop()), 1), embedding)
            if level > 0:
                h = self.grow[level - 1](h)
        heads = self.merge(torch.cat((nn.functional.silu(self.norm(h)), tokens), 1))
        return heads.unflatten(1, (self.config.stems, self.OUTPUTS_PER_STEM)).to(
            question.noisy.dtype
        )
