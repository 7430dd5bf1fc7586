"""The sound of a sketch: a denoiser of waveforms that is told what each stem plays.

It is the embedded network (``msdm_cli.networks.stft_unet``), told the sketch of every stem in two
ways:

- the sketch's power in each bin and frame takes the place of the variance over all songs, so the
  exact answer for Gaussian stems is noise in the right places before anything is learned;
- a map of the sketch is added to the tokens.

It holds a second, small network, which guesses the envelope of a sketch (``envelope``) and has no
part in the denoiser.

Sketches at hand have errors: those of a basis of few components, and those of a prior that drew
them. The network is told how large they are (conditioning augmentation, arXiv 2106.15282).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from msdm_cli.networks.envelope_layers import EnvelopeHead
from msdm_cli.networks.gaussian_stems import Question
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.representations.sketch import BANDS, FLOOR, HOP, LOWEST_HZ, SAMPLE_RATE_HZ

SMOOTHED_FRAMES = 3
"""Frames over which the told power is smoothed: a frame of a sketch is shorter than the window."""

LEAST_SHARE = 1e-6
"""Least power that is told, as a share of that over all songs."""

LEAST_POWER = 1e-9


@dataclass(frozen=True)
class SketchUnetConfig(StftUnetConfig):
    """The size of a network.

    Attributes:
        hint_channels: Of the map of a sketch, per band.
        envelope_channels: Of the network that guesses the envelope of a sketch; 0 for none.
    """

    hint_channels: int = 24
    envelope_channels: int = 0

    MAY_BE_ZERO: ClassVar[set[str]] = {"attention_layers", "envelope_channels"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hop * self.frames_per_token != HOP:
            raise ValueError(f"expected tokens of {HOP} samples, as the frames of a sketch")


class SketchUnet(StftUnet):
    """Denoiser ``D(x, sigma, sketch)`` of stems, in the time-frequency plane.

    Args:
        config: Size of the network.
    """

    takes_mixture = False

    spread: Tensor

    def __init__(self, config: SketchUnetConfig) -> None:
        super().__init__(config)
        spread = spread_bands(config.n_fft)
        self.register_buffer("spread", torch.from_numpy(spread), persistent=False)
        channels = config.channels[0]
        self.hint = nn.Linear(
            config.stems * (BANDS + 1), config.num_bands * config.hint_channels, bias=False
        )
        self.hint_out = nn.Linear(config.hint_channels, channels)
        nn.init.zeros_(self.hint_out.weight)
        nn.init.zeros_(self.hint_out.bias)
        self.envelope = (
            EnvelopeHead(config.stems, config.envelope_channels)
            if config.envelope_channels
            else None
        )

    def cast(self, dtype: torch.dtype) -> None:
        """Compute what is between the features and the corrections in another precision."""
        super().cast(dtype)
        self.hint.to(dtype)
        self.hint_out.to(dtype)

    def list_inputs(self, multiples: int) -> dict[str, tuple[int, ...]]:
        """A noise level of each stem, and its sketch with the size of its errors."""
        frames = multiples * self.config.length_multiple // HOP
        return super().list_inputs(multiples) | {"told": (self.config.stems, BANDS + 1, frames)}

    def forward(
        self,
        x: Tensor,
        sigma: Tensor,
        mixture: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Tensor:
        """Estimate the clean stems.

        Args:
            x: Noisy stems.
            sigma: Noise level of each stem; 0 for a stem that is known.
            mixture: None; it is not an input.
            told: The sketch of each stem, and in a last row the size of its errors in bels; None
                if nothing is known of it.

        Shape:
            ``[B, S, T], [B, S], None, [B, S, BANDS + 1, T / HOP] -> [B, S, T]``, T a multiple of
            ``config.length_multiple``.
        """
        if told is None:
            return super().forward(x, sigma)
        return self.stft.inverse(self.denoise_told(self.stft(x), sigma, told))

    def denoise_told(self, noisy: Tensor, sigma: Tensor, told: Tensor) -> Tensor:
        """Estimate the transform of the clean stems, ``[B, S, 2, bins, frames]``."""
        observed = torch.zeros_like(noisy[:, 0])
        given = torch.zeros_like(sigma[:, 0])
        power = self.find_log_power(told)
        return self.answer(Question(noisy, sigma, observed, given, power), self._find_hint(told))

    def find_log_power(self, told: Tensor) -> Tensor:
        """Logarithm of the stems' power in each bin and frame, ``[B, S, 1, bins, frames]``."""
        power = torch.einsum("fn,bsnt->bsft", self.spread, 10 ** told[:, :, :-1])
        smooth = functional.avg_pool1d(
            power.flatten(0, 1),
            SMOOTHED_FRAMES,
            1,
            SMOOTHED_FRAMES // 2,
            count_include_pad=False,
        ).view(power.shape)
        least = LEAST_SHARE * self.sd.square()[:, :, None] + LEAST_POWER
        return (smooth + least).log().repeat_interleave(self.config.frames_per_token, 3)[:, :, None]

    def _find_hint(self, told: Tensor) -> Tensor:
        """What the tokens are told, ``-> [B, channels, bands, tokens]``."""
        dtype = self.hint.weight.dtype
        batch, _, _, frames = told.shape
        sketch, error = told[:, :, :-1], told[:, :, -1:]
        features = torch.cat((sketch.clamp_min(FLOOR) / 2 + 2, error), 2)
        rows = features.permute(0, 3, 1, 2).reshape(batch, frames, -1).to(dtype)
        bands = self.hint(rows).view(batch, frames, self.config.num_bands, -1)
        hint: Tensor = self.hint_out(functional.silu(bands))
        return hint.permute(0, 3, 2, 1)


def spread_bands(n_fft: int) -> np.ndarray:
    """Weights that give each bin of a transform the power of the bands around it.

    Where bands are narrower than a bin, it is the mean of those that the window reaches, by their
    widths; where they are wider, it is read between two bands. Rows sum to 1.

    Shape:
        ``-> [n_fft / 2 + 1, BANDS]``
    """
    bin_hz = SAMPLE_RATE_HZ / n_fft
    bins = np.arange(n_fft // 2 + 1)[:, None] * bin_hz
    centres = LOWEST_HZ * 2 ** (np.arange(BANDS) / 12)
    distance = (bins - centres) / bin_hz
    reach = np.where(abs(distance) < 2, np.cos(np.pi * distance / 4) ** 4, 0)
    narrow = reach * centres * (2 ** (1 / 24) - 2 ** (-1 / 24))
    place = np.clip(12 * np.log2(np.maximum(bins, 1) / LOWEST_HZ), 0, BANDS - 1)
    wide = np.maximum(1 - abs(place - np.arange(BANDS)), 0)
    # Up to here a semitone is narrower than a bin.
    crossing = 12 * math.log2(bin_hz / (LOWEST_HZ * (2 ** (1 / 24) - 2 ** (-1 / 24))))
    is_narrow = (place < crossing) & (narrow.sum(1, keepdims=True) > 0)
    weights = np.where(is_narrow, narrow, wide)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
