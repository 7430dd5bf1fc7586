"""Hybrid Transformer Demucs, the separator of the package ``demucs``, as a denoiser of stems.

Demucs hears two channels together and gives stems that nearly sum to them. Here it answers what
every network answers, ``D(x, sigma, y)``:

- A stem below ``SIGMA_UNKNOWN`` is given, as noisy as it is. Demucs hears the mixture without it.
- What the stems lack of the mixture y is divided among those with noise, as a Wiener filter does:
  ``D_n = S_n + iSTFT(P_n / sum P * STFT(y - sum S))``, with the power P_n of stem n in a bin. The
  shares sum to one, so the stems sum to y (mixture consistency, arXiv 1811.08521).

Source: Rouard, Massa, Defossez 2023, arXiv 2211.08553. Its weights are no part of msdm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from msdm_cli.errors import MissingPackage
from msdm_cli.networks.network import Network
from msdm_cli.networks.stft_layer import StftLayer

SIGMA_UNKNOWN = 1.0
"""A stem with so much noise, as loud as full scale, is not known."""

SHARING_TRANSFORM = (4096, 1024)
"""Window and hop of the transform in which the rest is divided: those of Demucs."""

SMALLEST_POWER = 1e-12
"""Of a stem in a bin; silence is shared equally."""

PLAIN = (bool, int, float, str, type(None))

SPARSE = ("t_sparse_self_attn", "t_sparse_cross_attn")
"""Settings of attention that only another package computes; no published model has it."""

LONGEST_SECONDS = 600


@dataclass(frozen=True)
class DemucsConfig:
    """Size of a Demucs.

    Attributes:
        stems: Number of stems.
        sample_rate: Rate that it works at, in hertz.
        segment: Length that it was trained on, in seconds, as numerator and denominator.
        settings: Other arguments of ``demucs.htdemucs.HTDemucs``, in plain types.
    """

    stems: int
    sample_rate: int
    segment: tuple[int, int]
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        numbers = (self.stems, self.sample_rate, *self.segment)
        if min(numbers) < 1:
            raise ValueError(f"expected stems, rate and segment above 0, got {numbers}")
        if Fraction(*self.segment) > LONGEST_SECONDS:
            raise ValueError(f"expected a segment of up to {LONGEST_SECONDS} s")
        if self.longest < self.length_multiple:
            raise ValueError(f"expected a segment of at least {self.length_multiple} samples")
        if used := [name for name in SPARSE if self.settings.get(name)]:
            raise ValueError(f"expected full attention, got {used[0]}")
        for name, value in self.settings.items():
            values = value if isinstance(value, list | tuple) else [value]
            if not all(type(item) in PLAIN for item in values):
                raise ValueError(f"expected numbers and words in the setting {name}")

    @property
    def length_multiple(self) -> int:
        """Lengths are multiples of the hop, in samples."""
        return SHARING_TRANSFORM[1]

    @property
    def longest(self) -> int:
        """Length that it was trained on, in samples; it takes no longer ones."""
        return int(Fraction(*self.segment) * self.sample_rate)


class Demucs(Network):
    """Denoiser ``D(x, sigma, y)`` around a separator of stereo mixtures.

    Args:
        config: Size of the separator.
    """

    takes_mixture = True
    shares_sigma = False
    channels = 2
    exports = False  # ONNX has none of its transforms

    def __init__(self, config: DemucsConfig) -> None:
        super().__init__()
        self.config = config
        self.separator = _build_separator(config)
        self.stft = StftLayer(*SHARING_TRANSFORM)
        self._dtype = torch.float32

    def cast(self, dtype: torch.dtype) -> None:
        """Compute the layers of the separator in another precision, not its transforms."""
        self._dtype = dtype

    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems of neighbouring channels, ``[B, S, T], [B, S], [B, T]``.

        Channels are heard in pairs; one that is left over is heard as both sides. Without a
        mixture, the sum of x stands for it.

        Returns:
            Stems that sum to the mixture, ``[B, S, T]``.
        """
        if mixture is None:
            mixture = x.sum(1)
        given = (sigma < SIGMA_UNKNOWN)[:, :, None]
        known = torch.where(given, x, 0)
        separated = torch.where(given, x, self._separate(mixture - known.sum(1)))
        parts = self.stft(separated)
        power = parts.square().sum(2, keepdim=True) + SMALLEST_POWER
        power = power * (sigma > 0)[:, :, None, None, None]
        rest = self.stft(mixture - separated.sum(1))[:, None]
        share = power / power.sum(1, keepdim=True).clamp_min(SMALLEST_POWER)
        return separated + self.stft.inverse(share * rest)

    def _separate(self, mixture: Tensor) -> Tensor:
        """What Demucs hears in channels, ``[B, T] -> [B, S, T]``."""
        count = len(mixture)
        if count % 2:
            mixture = torch.cat((mixture, mixture[-1:]))
        with torch.autocast(mixture.device.type, self._dtype, self._dtype != torch.float32):
            pairs = self.separator(mixture.reshape(-1, 2, mixture.shape[-1]))
        stems: Tensor = pairs.float().transpose(1, 2).flatten(0, 1)
        if count % 2:
            stems = torch.cat((stems[:-2], stems[-2:].mean(0, keepdim=True)))
        return stems


def import_separator() -> type[nn.Module]:
    """The class of the package.

    Raises:
        MissingPackage: The package is not installed.
    """
    try:
        from demucs.htdemucs import HTDemucs
    except ImportError as error:
        raise MissingPackage(
            f"models of Demucs need the package demucs ({error})", "Run pip install demucs."
        ) from error
    found: type[nn.Module] = HTDemucs
    return found


def _build_separator(config: DemucsConfig) -> nn.Module:
    """The network of the package, without its weights.

    Raises:
        MissingPackage: The package is not installed.
        AssertionError, TypeError, ValueError, RuntimeError: It knows no such settings.
    """
    # A shift of the positions is drawn for training alone.
    settings = {**config.settings, "t_sin_random_shift": 0}
    # Its layers are drawn on the device meta, where that costs nothing; weights replace them.
    build = import_separator()
    with torch.device("meta"):
        return build(
            sources=[str(index) for index in range(config.stems)],
            samplerate=config.sample_rate,
            segment=Fraction(*config.segment),
            audio_channels=2,
            **settings,
        )


def find_chunk_length(config: DemucsConfig, slowest: float) -> int:
    """The longest chunk whose music can be played slower, in samples.

    Args:
        config: Size of the separator.
        slowest: Duration of the slowest music, in units of the chunk.
    """
    longest = config.longest // config.length_multiple
    # Slower music is rounded to a multiple, too.
    found = next(count for count in range(longest, 0, -1) if round(count * slowest) <= longest)
    return found * config.length_multiple
