"""The codes of sketches: the principal components that a prior over sketches works in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.representations.sketch import CEILING, FLOOR, HOP

Array = NDArray[np.floating[Any]]

FRAMES_PER_TOKEN = 4
"""Frames of a sketch that make one token."""

TOKEN_SAMPLES = FRAMES_PER_TOKEN * HOP
"""Samples of a token: 93 ms."""


@dataclass(frozen=True)
class SketchCodes:
    """A basis for each stem. A stem's codes lie one token after the other in one row.

    Attributes:
        mean: Mean of the tokens, ``[S, bands * FRAMES_PER_TOKEN]``.
        basis: Orthonormal columns, ``[S, bands * FRAMES_PER_TOKEN, K]``.
        variance: Of each component over the training, ``[S, K]``.
    """

    mean: Array
    basis: Array
    variance: Array

    @property
    def numbers(self) -> int:
        """Numbers of a token's code."""
        return self.basis.shape[2]

    def of_stem(self, stem: int) -> "SketchCodes":
        """The codes of one stem, by its index."""
        row = slice(stem, stem + 1)
        return SketchCodes(self.mean[row], self.basis[row], self.variance[row])

    def encode(self, sketch: Array) -> NDArray[np.float32]:
        """The codes of sketches, ``[S, bands, frames] -> [S, tokens * K]``."""
        stems, bands, frames = sketch.shape
        cells = sketch.reshape(stems, bands, -1, FRAMES_PER_TOKEN).swapaxes(1, 2)
        tokens = cells.reshape(stems, frames // FRAMES_PER_TOKEN, -1) - self.mean[:, None]
        codes: NDArray[np.float32] = (tokens @ self.basis).reshape(stems, -1)
        return codes

    def decode(self, codes: Array) -> NDArray[np.float32]:
        """The sketches of codes, ``[S, tokens * K] -> [S, bands, frames]``.

        They stay between ``FLOOR`` and ``CEILING``, whatever the codes are: a sound that is far too
        loud would make all others inaudible, since one gain brings them all below full scale.
        """
        stems = len(codes)
        tokens = codes.reshape(stems, -1, self.numbers) @ self.basis.swapaxes(1, 2)
        cells = (tokens + self.mean[:, None]).reshape(stems, tokens.shape[1], -1, FRAMES_PER_TOKEN)
        sketch = cells.swapaxes(1, 2).reshape(stems, cells.shape[2], -1)
        return np.clip(sketch, FLOOR, CEILING).astype(np.float32)


def load_codes(path: Path) -> SketchCodes:
    """The codes that the weights of a prior over sketches hold, a safetensors file."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in ("mean", "basis", "variance")}
    return SketchCodes(**{name: value.astype(np.float32) for name, value in tensors.items()})
