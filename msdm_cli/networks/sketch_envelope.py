"""The envelope that a sketch stands for, guessed by a small network.

A sketch's windows are 46 and 186 ms long, so attacks are slopes in it. But neighbouring frames
share an attack, and their shares tell when it began. The network maps nine frames of a sketch to
the envelope (``msdm_cli.representations.envelope``) of one, and looks twice at its neighbours.

It is asked as a denoiser of envelopes at an infinite noise level would be: its estimate is made of
what it is told alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from msdm_cli.networks.network import Network, check_positive
from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEPS_PER_FRAME
from msdm_cli.representations.sketch import BANDS, FLOOR

REACH = 9
"""Frames of a sketch that the first layer sees."""

NEAR = 3
"""Frames that each of the others sees."""

LAYERS = 2
MARGIN_FRAMES = (REACH - 1) // 2 + LAYERS * (NEAR - 1) // 2
"""Frames on either side of one that its envelope depends on.

So often the first and the last frame of a sketch are repeated. With silence there, music that
begins at full level would be faded in over 35 ms.
"""

NUMBERS_PER_FRAME = ENVELOPE_BANDS * STEPS_PER_FRAME
"""Numbers of an envelope for a frame of a sketch."""


@dataclass(frozen=True)
class SketchEnvelopeConfig:
    """The size of a network.

    Attributes:
        stems: Number of stems.
        hidden: Channels of a frame between the layers.
    """

    stems: int = 4
    hidden: int = 256

    def __post_init__(self) -> None:
        check_positive(self)

    @property
    def length_multiple(self) -> int:
        """Envelopes have so many numbers for a frame of the sketch."""
        return NUMBERS_PER_FRAME


class SketchEnvelope(Network):
    """Maps of neighbouring frames.

    Args:
        config: Size of the network.
    """

    takes_mixture = False
    shares_sigma = False

    def __init__(self, config: SketchEnvelopeConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.hidden
        self.stem = nn.Parameter(torch.zeros(config.stems, channels))
        self.enter = nn.Linear((BANDS + 1) * REACH, channels)
        self.layers = nn.ModuleList(nn.Linear(channels * NEAR, channels) for _ in range(LAYERS))
        self.leave = nn.Linear(channels, NUMBERS_PER_FRAME)
        nn.init.constant_(self.leave.bias, FLOOR / 2)

    def list_inputs(self, multiples: int) -> dict[str, tuple[int, ...]]:
        """A noise level of each stem, and its sketch with the size of its errors."""
        return super().list_inputs(multiples) | {"told": (self.config.stems, BANDS + 1, multiples)}

    def cast(self, dtype: torch.dtype) -> None:
        """Stay in single precision: it takes a tenth of a second, and bf16 errs by 0.1 dB."""

    def forward(
        self,
        x: Tensor,
        sigma: Tensor,
        mixture: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Tensor:
        """The envelope of each stem, as ``find``; ``x`` says no more than its shape.

        Args:
            x: Noisy envelopes.
            sigma: Noise level of each stem.
            mixture: None; it is not an input.
            told: The sketch of each stem, and in a last row the size of its errors in bels.

        Shape:
            ``[B, S, bands * T], [B, S], None, [B, S, BANDS + 1, frames] -> [B, S, bands * T]``,
            with ``ENVELOPE_BANDS`` bands, and T of ``frames * STEPS_PER_FRAME``.

        Raises:
            ValueError: Nothing is told.
        """
        del x, sigma
        if told is None:
            raise ValueError("expected a sketch")
        return self.find(told).flatten(2)

    def find(self, told: Tensor) -> Tensor:
        """The envelope of each stem, as if the sketch went on before and after its ends.

        Shape:
            ``[B, S, BANDS + 1, frames] -> [B, S, ENVELOPE_BANDS, frames * STEPS_PER_FRAME]``
        """
        batch, stems = told.shape[:2]
        sketch, error = told[:, :, :-1], told[:, :, -1:]
        rows = torch.cat((sketch.clamp_min(FLOOR) / 2 + 2, error), 2).flatten(0, 1)
        rows = functional.pad(rows, (MARGIN_FRAMES, MARGIN_FRAMES), mode="replicate")
        h = functional.relu(_map(self.enter, rows, REACH) + self.stem.repeat(batch, 1)[:, :, None])
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            inner = h[:, :, (NEAR - 1) // 2 : -(NEAR - 1) // 2]
            h = inner + functional.relu(_map(layer, h, NEAR))
        found = _map(self.leave, h, 1).view(batch, stems, ENVELOPE_BANDS, STEPS_PER_FRAME, -1)
        return found.transpose(3, 4).flatten(3)


def _map(linear: nn.Linear, x: Tensor, reach: int) -> Tensor:
    """A linear map of so many frames, ``[B, C, frames] -> [B, C', frames - reach + 1]``."""
    weight = linear.weight.view(len(linear.weight), -1, reach)
    return functional.conv1d(x, weight, linear.bias)
