"""The envelope that a sketch stands for, guessed by a small network, in NumPy.

Neighbouring frames of a sketch share an attack, and their shares tell when it began. The network is
``msdm_cli.networks.envelope_layers``, which is trained; here it runs beside any backend, in a tenth
of a second for 12 s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from msdm_cli.representations.envelope import ENVELOPE_BANDS, STEPS_PER_FRAME
from msdm_cli.representations.sketch import FLOOR

Array = NDArray[np.float32]

Guess = Callable[[Array], Array]
"""Gives the envelopes of told sketches, as ``EnvelopeGuess``."""

PREFIX = "envelope."
"""Beginning of the names of its weights, among those of the network that makes the sound."""

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


@dataclass(frozen=True)
class EnvelopeGuess:
    """The network, with its weights.

    Attributes:
        weights: By the names of ``EnvelopeHead``, in single precision.
    """

    weights: Mapping[str, Array]

    def __call__(self, told: NDArray[np.floating[Any]]) -> Array:
        """The envelope of each stem, as if the sketch went on before and after its ends.

        Args:
            told: The sketch of each stem, and in a last row the size of its errors in bels.

        Shape:
            ``[S, BANDS + 1, frames] -> [S, ENVELOPE_BANDS, frames * STEPS_PER_FRAME]``
        """
        margins = ((0, 0), (0, 0), (MARGIN_FRAMES, MARGIN_FRAMES))
        rows = np.pad(told.astype(np.float32), margins, mode="edge")
        rows[:, :-1] = np.maximum(rows[:, :-1], FLOOR) / 2 + 2
        h = self._map("enter", rows.swapaxes(1, 2), REACH) + self.weights["stem"][:, None]
        h = np.maximum(h, 0)
        for index in range(LAYERS):
            inner = h[:, (NEAR - 1) // 2 : -(NEAR - 1) // 2]
            h = inner + np.maximum(self._map(f"layers.{index}", h, NEAR), 0)
        found = self._map("leave", h, 1).reshape(*h.shape[:2], ENVELOPE_BANDS, STEPS_PER_FRAME)
        return found.swapaxes(1, 2).reshape(len(told), ENVELOPE_BANDS, -1)

    def _map(self, name: str, x: Array, reach: int) -> Array:
        """A linear map of so many frames, ``[S, frames, C] -> [S, frames - reach + 1, C']``."""
        windows = sliding_window_view(x, reach, 1).reshape(len(x), -1, x.shape[2] * reach)
        mapped: Array = windows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return mapped


def load_guess(path: Path) -> EnvelopeGuess | None:
    """The network among the weights of one that makes sound, a safetensors file; None if not."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        names = [name for name in file.keys() if name.startswith(PREFIX)]  # noqa: SIM118
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in names}
    weights = {name.removeprefix(PREFIX): value for name, value in tensors.items()}
    return EnvelopeGuess(weights) if weights else None
