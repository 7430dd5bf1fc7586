"""The embedded network: a denoiser of waveforms that lives in the time-frequency plane.

One network answers every question about four stems. It takes one sigma per stem and, optionally, the mixture:

- mixture given, sigma at its maximum: a regressor that separates in one call; at lower sigmas it refines;
- some stems at sigma ~ 0, the others noisy: it imputes;
- neither: the joint prior of the paper (arXiv 2302.02257).

What it starts from is the exact answer for Gaussian stems. With per-bin variances ``sd^2`` of the clean stems and
``g = sd^2 / (sd^2 + sigma^2)``, ``v = sd^2 sigma^2 / (sd^2 + sigma^2)`` the posterior mean is

    base_n = g_n X_n                                      (static Wiener filter, EDM's c_skip per bin)
    D_n    = base_n + v_n / sum(v) * (Y - sum(base))      (conditioning on the mixture Y)

The network moves three things per stem, bin and frame: the logit of ``g``, the logit of the share ``v / sum(v)``, and
a residual ``r`` that is added to ``base``, scaled by ``sqrt(v)`` (EDM's c_out; less where the mixture is quiet). The
shares sum to one in every bin, so with a mixture the stems sum to it exactly, however the network is trained. Its last
layer starts at zero.

Source: EDM preconditioning, arXiv 2206.00364, eq. 7; band split, arXiv 2209.15174; linear layers over frequency
(time-distributed fully connected), arXiv 1912.02591.
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
from msdm_cli.networks.network import Network
from msdm_cli.networks.stft_layer import Stft


@dataclass(frozen=True)
class StftUnetConfig:
    """The size of a network.

    Attributes:
        stems: Number of stems.
        n_fft: Window of the transform, in samples.
        hop: Hop of the transform, in samples.
        bands: ``(count, width)`` groups of bands from low to high, in bins; they cover ``n_fft // 2`` bins.
        frames_per_token: Frames that are folded into one token.
        channels: Channels per level; each level halves bands and frames.
        blocks: Residual blocks of each level, on either side.
        attention_layers: Transformer layers at the lowest level, along time and over bands in turn.
        heads: Attention heads.
        embedding: Size of the embedding of the sigmas.
        sigma_min: Smallest sigma that is told apart from zero.
        sigma_max: Largest sigma that is told apart from infinity.
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
        covered = sum(count * width for count, width in self.bands)
        if covered != self.n_fft // 2:
            raise ValueError(f"expected bands that cover {self.n_fft // 2} bins, got {covered}")
        if len(self.blocks) != len(self.channels):
            raise ValueError(
                f"expected blocks for each of {len(self.channels)} levels, got {self.blocks}"
            )
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
        """What the length of an input must be a multiple of, in samples."""
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
        channels, levels, bands = config.channels, len(config.channels), config.num_bands
        self.stft = Stft(config.n_fft, config.hop)
        self.register_buffer("sd", torch.ones(config.stems, config.n_fft // 2 + 1))
        self.embed = SigmaEmbedding(
            config.stems, config.embedding, (config.sigma_min, config.sigma_max)
        )
        tokens, features = (
            (config.bands, config.frames_per_token),
            (config.stems + 1) * self.FEATURES_PER_SIGNAL,
        )
        self.split = BandLinear(*tokens, features=features, channels=channels[0], split=True)
        self.band_position = nn.Parameter(torch.randn(channels[0], bands, 1) * 0.02)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        for level in range(levels):
            here = channels[level]
            self.down.append(self._blocks(level, here))
            self.up.append(self._blocks(level, 2 * here))
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

    def cast(self, dtype: torch.dtype) -> None:
        """Compute what is between features and heads in another precision."""
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

    def _blocks(self, level: int, channels_in: int) -> nn.ModuleList:
        config = self.config
        sizes = channels_in, config.channels[level], config.embedding, config.num_bands // 2**level
        return nn.ModuleList(ResidualBlock(*sizes) for _ in range(config.blocks[level]))

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
        observed = torch.zeros_like(x[:, 0]) if mixture is None else mixture
        return self.stft.inverse(
            self.denoise_transform(self.stft(x), sigma, self.stft(observed), given)
        )

    def denoise_transform(
        self, noisy: Tensor, sigma: Tensor, observed: Tensor, given: Tensor
    ) -> Tensor:
        """Estimate the transform of the clean stems.

        Args:
            noisy: Transform of the noisy stems.
            sigma: Noise level of each stem.
            observed: Transform of the mixture; zeros where it is not given.
            given: 1 where the mixture is given, 0 where not.

        Returns:
            Transform of the estimate.

        Shape:
            ``[B, S, 2, bins, frames], [B, S], [B, 2, bins, frames], [B] -> [B, S, 2, bins, frames]``
        """
        heads = self.network(noisy, sigma, observed, given)
        heads = nn.functional.pad(heads, (0, 0, 0, 1))  # the Nyquist bin belongs to no band
        gate, share, residual = torch.split(heads, [1, 1, 2], 2)
        return self.posterior(
            noisy, sigma, observed, given, gate=gate, share=share, residual=residual
        )

    def posterior(
        self,
        noisy: Tensor,
        sigma: Tensor,
        observed: Tensor,
        given: Tensor,
        *,
        gate: Tensor | float = 0.0,
        share: Tensor | float = 0.0,
        residual: Tensor | float = 0.0,
    ) -> Tensor:
        """Combine noisy stems and mixture; with zeros, the posterior mean of stationary Gaussian stems.

        Args:
            noisy: Transform of the noisy stems, ``[B, S, 2, bins, frames]``.
            sigma: Noise level of each stem, ``[B, S]``.
            observed: Transform of the mixture, ``[B, 2, bins, frames]``.
            given: 1 where the mixture is given, 0 where not, ``[B]``.
            gate: Added to the logit of the weight of the noisy stem, ``[B, S, 1, bins, frames]``.
            share: Added to the logit of the stem's share of what is left of the mixture, likewise.
            residual: Correction in units of the posterior's standard deviation, ``[B, S, 2, bins, frames]``.

        Returns:
            Transform of the estimate, ``[B, S, 2, bins, frames]``.
        """
        log_noise, log_power = self._log_powers(sigma)
        log_variance = self._log_variance(log_noise, log_power)
        # Where the mixture is given, its local power bounds what a residual can be: quiet music has quiet errors.
        known_power = given[:, None, None, None, None] * self._log_local_power(observed)
        log_scale = -torch.logaddexp(
            -log_variance, -known_power - 1e3 * (1 - given[:, None, None, None, None])
        )
        base = (
            torch.sigmoid(log_power - log_noise + gate) * noisy
            + torch.exp(0.5 * log_scale) * residual
        )
        base = torch.where(
            sigma[:, :, None, None, None] <= self.config.sigma_min, noisy, base
        )  # known stems
        left = (observed - base.sum(1)) * given[:, None, None, None]
        return base + torch.softmax(log_variance + share, 1) * left[:, None]

    def posterior_variance(self, sigma: Tensor) -> Tensor:
        """Variance that noise leaves of Gaussian stems, ``v = sd^2 sigma^2 / (sd^2 + sigma^2)``, per coefficient.

        Shape:
            ``[B, S] -> [B, S, 1, bins, 1]``
        """
        return self._log_variance(*self._log_powers(sigma)).exp()

    @staticmethod
    def _log_variance(log_noise: Tensor, log_power: Tensor) -> Tensor:
        """Logarithm of ``v``, from those of sigma^2 and sd^2."""
        return log_noise + log_power - torch.logaddexp(log_noise, log_power)

    @staticmethod
    def _log_local_power(observed: Tensor) -> Tensor:
        """Logarithm of the mixture's power around a bin (3 bins, 5 frames), ``-> [B, 1, 1, bins, frames]``."""
        power = observed.square().sum(1, keepdim=True)
        return (nn.functional.avg_pool2d(power, (3, 5), 1, (1, 2)) + 1e-12).log()[:, None]

    def _log_powers(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of sigma^2 and sd^2, ``[B, S, 1, 1, 1]`` and ``[S, 1, bins, 1]``."""
        noise = sigma.clamp_min(self.config.sigma_min)[:, :, None, None, None]
        return 2 * noise.log(), 2 * self.sd[:, None, :, None].log()

    def network(self, noisy: Tensor, sigma: Tensor, observed: Tensor, given: Tensor) -> Tensor:
        """The learned part: ``-> [B, S, OUTPUTS_PER_STEM, bins - 1, frames]`` (gate, share, residual)."""
        dtype = self.band_position.dtype
        embedding = self.embed(sigma, given).to(dtype)
        tokens = (
            self.split(self._features(noisy, sigma, observed, given).to(dtype)) + self.band_position
        )
        h, skips = tokens, []
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
        return heads.unflatten(1, (self.config.stems, self.OUTPUTS_PER_STEM)).to(noisy.dtype)

    def _features(self, noisy: Tensor, sigma: Tensor, observed: Tensor, given: Tensor) -> Tensor:
        """What the network sees of each bin and frame, ``-> [B, (S + 1) * 3, bins - 1, frames]``.

        A stem enters as its static Wiener estimate in units of sd, which fades out as sigma grows: what carries no
        information is not shown. The mixture enters compressed (square root of the magnitude), for its dynamic range.
        """
        log_noise, log_power = self._log_powers(sigma)
        weight = torch.sigmoid(log_power - log_noise)
        stems = noisy * weight * torch.exp(-0.5 * log_power)
        loudness = torch.log1p(1e4 * stems.square().sum(2, keepdim=True)) * weight.sqrt() / 4
        mixture_sd = self.sd.square().sum(0).sqrt()[:, None]
        power = (observed / mixture_sd).square().sum(1, keepdim=True)
        compressed = observed / mixture_sd * (power + 1e-8) ** -0.25
        mixture = (
            torch.cat((compressed, torch.log1p(1e4 * power) / 4), 1) * given[:, None, None, None]
        )
        features = torch.cat((torch.cat((stems, loudness), 2).flatten(1, 2), mixture), 1)
        return features[:, :, :-1]
