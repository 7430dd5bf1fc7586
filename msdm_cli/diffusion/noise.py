"""Gaussian noise as a function of the position in the song.

The noise of a song is a field over (seed, sample, step, stem, absolute position), and a chunk
reads its window of the field. So the result does not depend on the order of the chunks, on the
batch size or on an interruption, and chunks that overlap draw the same noise where they do.

Source: counter-based generators, Salmon et al. 2011 (Philox).
"""

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_LENGTH = 1 << 14
"""Positions that one generator fills."""


def check_seed(seed: Any) -> None:
    """Refuse what is no seed.

    Raises:
        ValueError: It is no whole number from 0 to 2^64 - 1.
    """
    if not hasattr(seed, "__index__") or not 0 <= index(seed) < 1 << 64:
        raise ValueError(f"expected a seed from 0 to 2^64 - 1, a whole number, got {seed!r}")


@dataclass(frozen=True)
class NoiseField:
    """White noise of unit variance.

    Attributes:
        seed: Seed, 0 to 2^64 - 1.
        stems: Number of stems.
    """

    seed: int
    stems: int

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def draw(self, start: int, length: int, *, step: int, sample: int = 0) -> NDArray[np.float32]:
        """The noise of a window.

        Args:
            start: First position, in samples from the beginning of the song; not negative.
            length: Number of positions.
            step: Number of the draw within the sampler.
            sample: Index among independent samples.

        Returns:
            Noise, ``[S, length]``.
        """
        first = start // BLOCK_LENGTH
        last = (start + length - 1) // BLOCK_LENGTH
        offset = start - first * BLOCK_LENGTH
        window = np.empty((self.stems, length), np.float32)
        for stem in range(self.stems):
            blocks = [self._block(stem, step, sample, block) for block in range(first, last + 1)]
            window[stem] = np.concatenate(blocks)[offset : offset + length]
        return window

    def _block(self, stem: int, step: int, sample: int, block: int) -> NDArray[np.float32]:
        # The lowest word of the counter counts the draws of a block; the others name the block.
        counter = np.array([0, block, step, stem], np.uint64)
        generator = np.random.Philox(key=np.array([self.seed, sample], np.uint64), counter=counter)
        return np.random.Generator(generator).standard_normal(BLOCK_LENGTH, np.float32)
