"""A chunk as a file with a digest: what has changed is not taken for what was drawn."""

import hashlib
import io

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 32
NUMPY_ERRORS = (ValueError, EOFError, OSError, KeyError, SyntaxError, MemoryError, OverflowError)
"""What numpy raises for a file that is none of its own."""


def encode_chunk(chunk: NDArray[np.float32], owner: bytes) -> bytes:
    """A chunk as bytes.

    Args:
        chunk: What was drawn.
        owner: What it belongs to: it is read back only for the same.

    Returns:
        A digest of owner and content, and the content as numpy writes it.
    """
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(chunk, "<f4"))
    content = buffer.getvalue()
    return _digest(content, owner) + content


def decode_chunk(stored: bytes, owner: bytes) -> NDArray[np.float32] | None:
    """The chunk that ``encode_chunk`` wrote; None if it has changed, or is another's."""
    digest = stored[:DIGEST_BYTES]
    content = stored[DIGEST_BYTES:]
    if digest != _digest(content, owner):
        return None
    try:
        chunk: NDArray[np.float32] = np.load(io.BytesIO(content), allow_pickle=False)
    except NUMPY_ERRORS:
        return None
    # A forger can write a digest: what cannot have been drawn is refused too.
    if chunk.dtype != np.dtype("<f4") or not np.isfinite(chunk).all():
        return None
    return chunk


def _digest(content: bytes, owner: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES, key=owner[:64]).digest()
