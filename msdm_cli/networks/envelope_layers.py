"""The network that guesses the envelope which a sketch stands for, as it is trained.

``msdm_cli.representations.envelope_guess`` is the same network in NumPy, which runs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEPS_PER_FRAME
from msdm_cli.representations.envelope_guess import LAYERS, MARGIN_FRAMES, NEAR, REACH
from msdm_cli.representations.sketch import BANDS, FLOOR


class EnvelopeHead(nn.Module):
    """Maps of neighbouring frames.

    Args:
        stems: Number of stems.
        channels: Channels of a frame.
    """

    def __init__(self, stems: int, channels: int) -> None:
        super().__init__()
        self.stem = nn.Parameter(torch.zeros(stems, channels))
        self.enter = nn.Linear((BANDS + 1) * REACH, channels)
        self.layers = nn.ModuleList(nn.Linear(channels * NEAR, channels) for _ in range(LAYERS))
        self.leave = nn.Linear(channels, ENVELOPE_BANDS * STEPS_PER_FRAME)
        nn.init.constant_(self.leave.bias, FLOOR / 2)

    def forward(self, told: Tensor) -> Tensor:
        """The envelope of each stem, as if the sketch went on before and after its ends.

        Args:
            told: The sketch of each stem, and in a last row the size of its errors in bels.

        Shape:
            ``[B, S, BANDS + 1, frames] -> [B, S, ENVELOPE_BANDS, frames * STEPS_PER_FRAME]``
        """
        sketch, error = told[:, :, :-1], told[:, :, -1:]
        rows = torch.cat((sketch.clamp_min(FLOOR) / 2 + 2, error), 2)
        margins = (MARGIN_FRAMES, MARGIN_FRAMES, 0, 0)
        rows = functional.pad(rows, margins, mode="replicate").transpose(2, 3)
        h = functional.relu(_map(self.enter, rows, REACH) + self.stem[:, None])
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            inner = h[:, :, (NEAR - 1) // 2 : -(NEAR - 1) // 2]
            h = inner + functional.relu(_map(layer, h, NEAR))
        found = torch.unflatten(_map(self.leave, h, 1), 3, (ENVELOPE_BANDS, STEPS_PER_FRAME))
        return found.transpose(2, 3).flatten(3)


def _map(linear: nn.Linear, x: Tensor, reach: int) -> Tensor:
    """A linear map of so many frames, ``[B, S, frames, C] -> [B, S, frames - reach + 1, C']``."""
    mapped: Tensor = linear(x.unfold(2, reach, 1).flatten(3))
    return mapped
