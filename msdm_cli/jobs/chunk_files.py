"""A chunk as a file with a digest: what has changed is not taken for what was drawn.

A file holds a digest, the number of axes, the length of each, and the samples: floats of 32 bits,
the lowest byte first.
"""

import hashlib
import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 32
MOST_AXES = 8
LENGTH = "Q"
"""64 bits: samples begin at a multiple of 8 bytes."""


def encode_chunk(chunk: NDArray[np.float32], owner: bytes) -> tuple[bytes, bytes, memoryview]:
    """A chunk as bytes, in three parts: it may be large, and is not copied.

    Args:
        chunk: What was drawn.
        owner: What it belongs to: it is read back only for the same.

    Returns:
        A digest of owner and content, and the content: shape and samples.
    """
    shape = struct.pack(f"<{1 + chunk.ndim}{LENGTH}", chunk.ndim, *chunk.shape)
    samples = np.ascontiguousarray(chunk, "<f4").reshape(-1).view(np.uint8).data
    return _digest([shape, samples], owner), shape, samples


def decode_chunk(stored: bytes, owner: bytes) -> NDArray[np.float32] | None:
    """The chunk that ``encode_chunk`` wrote; None if it has changed, or is another's."""
    content = memoryview(stored)[DIGEST_BYTES:]
    if stored[:DIGEST_BYTES] != _digest([content], owner):
        return None
    # A forger can write a digest: what cannot have been drawn is refused too.
    try:
        (axes,) = struct.unpack_from(f"<{LENGTH}", content)
        lengths = f"<{min(axes, MOST_AXES)}{LENGTH}"
        shape = struct.unpack_from(lengths, content, struct.calcsize(f"<{LENGTH}"))
        samples = np.frombuffer(content, "<f4", offset=struct.calcsize(f"<{1 + axes}{LENGTH}"))
        chunk = samples.reshape(shape)
    except (struct.error, ValueError, OverflowError, MemoryError):
        return None
    return chunk if np.isfinite(chunk).all() else None


def _digest(content: Iterable[bytes | memoryview], owner: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES, key=owner[:64])
    for part in content:
        digest.update(part)
    return digest.digest()
