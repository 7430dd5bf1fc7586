"""The prior over sketches: what the stems of a song play, when, and how loud, as one diffusion.

It works on codes. Four frames of a stem's sketch (``msdm_cli.representations.sketch``) are a token
of 93 ms, and a token's code is its first principal components, a basis that training has measured.
The basis is orthonormal, so white noise on codes is white. The components are not scaled to equal
variance: diffusion then draws the coarse before the fine.

With variances ``lam`` of the components, noise of level sigma, and

    w = lam / (lam + sigma^2)                v = lam sigma^2 / (lam + sigma^2)

the estimate is ``D = w x + sqrt(v) F``: the exact answer for Gaussian codes, and what the network
``F`` corrects in units of the posterior's standard deviation (EDM's c_skip and c_out per component,
arXiv 2206.00364, eq. 7). Its last layer starts at zero, so an untrained network gives that answer.

Every stem has its own noise level at every token. Known stems, what was drawn before, and what
comes after have level 0, so imputing, going on and repainting are one question (diffusion forcing,
arXiv 2407.01392). Controls say what a person asks for (``msdm_cli.tasks.controls``).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from msdm_cli.networks.network import Network, check_positive
from msdm_cli.networks.sketch_layers import (
    GroupLinear,
    LevelEmbedding,
    SketchLayer,
    rotate_by_time,
)


@dataclass(frozen=True)
class SketchPriorConfig:
    """The size of a network.

    Attributes:
        stems: Number of stems.
        bands: Bands of a sketch.
        frames_per_token: Frames that make one token.
        coefficients: Components of a token's code.
        joined: Whether one token holds all stems; otherwise each stem has its own.
        width: Channels per token.
        layers: Transformer layers.
        heads: Attention heads.
        controls: Numbers per token that say what is asked for; 41 and one for each stem
            (``msdm_cli.tasks.controls.count_features``).
        sigma_min: Codes with at most this noise level are known.
        sigma_max: Largest noise level that differs from infinity for the network.
    """

    stems: int = 4
    bands: int = 96
    frames_per_token: int = 4
    coefficients: int = 48
    joined: bool = True
    width: int = 256
    layers: int = 8
    heads: int = 4
    controls: int = 45
    sigma_min: float = 1e-2
    sigma_max: float = 200.0

    def __post_init__(self) -> None:
        check_positive(self, may_be_zero={"joined"})
        if self.width % (2 * self.heads):
            raise ValueError(f"expected heads that divide {self.width // 2}, got {self.heads}")

    @property
    def length_multiple(self) -> int:
        """The network takes lengths that are multiples of this, in numbers of a stem's codes."""
        return self.coefficients


class SketchPrior(Network):
    """Denoiser ``D(x, sigma, controls)`` of the codes of a song's stems.

    A stem's codes lie one token after the other in one row, like samples.

    Args:
        config: Size of the network.
    """

    takes_mixture = False
    shares_sigma = False

    mean: Tensor
    basis: Tensor
    variance: Tensor

    def __init__(self, config: SketchPriorConfig) -> None:
        super().__init__()
        self.config = config
        stems, width = config.stems, config.width
        numbers = config.bands * config.frames_per_token
        self.register_buffer("mean", torch.zeros(stems, numbers))
        self.register_buffer("basis", torch.zeros(stems, numbers, config.coefficients))
        self.register_buffer("variance", torch.ones(stems, config.coefficients))
        self.groups = 1 if config.joined else stems
        features = 2 * config.coefficients * stems // self.groups
        outputs = config.coefficients * stems // self.groups
        self.enter = GroupLinear(self.groups, features, width)
        self.ask = GroupLinear(1, config.controls, width)
        self.embed = LevelEmbedding(
            self.groups, stems // self.groups, width, (config.sigma_min, config.sigma_max)
        )
        self.layers = nn.ModuleList(
            SketchLayer(width, config.heads, across=self.groups > 1) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.leave = GroupLinear(self.groups, width, outputs)
        nn.init.zeros_(self.ask.weight)
        nn.init.zeros_(self.leave.weight)

    def cast(self, dtype: torch.dtype) -> None:
        """Compute what is between the features and the corrections in another precision."""
        for part in (self.enter, self.ask, self.embed, self.layers, self.norm, self.leave):
            part.to(dtype)

    def list_inputs(self, multiples: int) -> dict[str, tuple[int, ...]]:
        """Every token has a noise level of each stem, and controls."""
        config = self.config
        return {"sigma": (config.stems, multiples), "told": (multiples, config.controls)}

    def encode(self, sketch: Tensor) -> Tensor:
        """The codes of sketches, ``[B, S, bands, frames] -> [B, S, numbers]``."""
        batch, stems, bands, frames = sketch.shape
        per_token = self.config.frames_per_token
        cells = sketch.view(batch, stems, bands, frames // per_token, per_token)
        tokens = cells.transpose(2, 3).flatten(3) - self.mean[:, None]
        return torch.einsum("bstn,snk->bstk", tokens, self.basis).flatten(2)

    def decode(self, codes: Tensor) -> Tensor:
        """The sketches of codes, ``[B, S, numbers] -> [B, S, bands, frames]``."""
        tokens = torch.unflatten(codes, 2, (-1, self.config.coefficients))
        cells = torch.einsum("bstk,snk->bstn", tokens, self.basis) + self.mean[:, None]
        shaped = torch.unflatten(cells, 3, (self.config.bands, self.config.frames_per_token))
        return shaped.transpose(2, 3).flatten(3)

    def forward(
        self,
        x: Tensor,
        sigma: Tensor,
        mixture: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Tensor:
        """Estimate the clean codes.

        Args:
            x: Noisy codes.
            sigma: Noise level of each stem, or of each stem and token; 0 where it is known.
            mixture: None; a sketch has none.
            told: Controls of each token; none if None.

        Returns:
            Estimate of the clean codes.

        Shape:
            ``[B, S, tokens * K], [B, S] or [B, S, tokens], None, [B, tokens, controls]
            -> [B, S, tokens * K]``
        """
        config = self.config
        codes = torch.unflatten(x, 2, (-1, config.coefficients))
        if sigma.ndim == 2:
            sigma = sigma[:, :, None].expand(codes.shape[:3])
        if told is None:
            told = x.new_zeros(len(x), codes.shape[2], config.controls)
        noise = sigma.clamp(config.sigma_min, config.sigma_max)[..., None].square()
        variance = self.variance[:, None]
        weight = variance / (variance + noise)
        residual = self._correct(codes, noise, weight, sigma, told)
        denoised = weight * codes + (weight * noise).sqrt() * residual
        known = sigma[..., None] <= config.sigma_min
        return torch.where(known, codes, denoised).flatten(2)

    def _correct(
        self, codes: Tensor, noise: Tensor, weight: Tensor, sigma: Tensor, told: Tensor
    ) -> Tensor:
        """The learned part, in standard deviations of the posterior, ``-> [B, S, tokens, K]``."""
        dtype = self.ask.weight.dtype
        variance = self.variance[:, None]
        features = torch.cat(
            (codes * weight / variance.sqrt(), codes / (variance + noise).sqrt()), -1
        )
        h = self.enter(self._group(features).to(dtype)) + self.ask(told[:, None].to(dtype))
        level = self.embed(sigma)
        rotation = rotate_by_time(h.shape[2], self.config.width // self.config.heads, h)
        for layer in self.layers:
            h = layer(h, level, rotation)
        corrections = self.leave(self.norm(h)).to(codes.dtype)
        if self.groups > 1:
            return corrections
        return torch.unflatten(corrections, -1, (self.config.stems, -1))[:, 0].transpose(1, 2)

    def _group(self, features: Tensor) -> Tensor:
        """``[B, S, tokens, F] -> [B, groups, tokens, F * S / groups]``."""
        if self.groups > 1:
            return features
        return features.transpose(1, 2).flatten(2)[:, None]
