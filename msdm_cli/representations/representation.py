"""What a representation must offer."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]


class Representation(Protocol):
    """What a network works in, instead of the samples of a sound.

    It is linear, so stems that sum to a mixture do so in the representation too. ``decode`` is the
    exact inverse of ``encode``, up to rounding, or the class states its loss.
    """

    def encode(self, x: Samples) -> Samples:
        """The representation of sounds, ``[..., T] -> [..., T]``."""
        ...

    def decode(self, z: Samples) -> Samples:
        """The sounds of a representation, ``[..., T] -> [..., T]``."""
        ...
