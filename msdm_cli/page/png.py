"""Small pictures as PNG: each pixel is the number of a colour.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INDEXED = 3
"""Colour type of pixels that are numbers of colours."""

Colour = tuple[int, int, int, int]
"""Red, green, blue and opacity, 0 to 255."""


def write_png(pixels: NDArray[np.uint8], colours: Sequence[Colour]) -> bytes:
    """A picture as a PNG file.

    Args:
        pixels: Numbers of colours, ``[height, width]``; the first row is the top.
        colours: 1 to 16 colours.
    """
    height, width = pixels.shape
    bits = next(bits for bits in (1, 2, 4) if len(colours) <= 1 << bits)
    header = struct.pack(">IIBBBBB", width, height, bits, INDEXED, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", bytes(part for colour in colours for part in colour[:3])),
        (b"tRNS", bytes(colour[3] for colour in colours)),
        (b"IDAT", zlib.compress(_pack(pixels, bits), 9)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(_frame(kind, content) for kind, content in chunks)


def _pack(pixels: NDArray[np.uint8], bits: int) -> bytes:
    """Rows of pixels of 1, 2 or 4 bits, the leftmost in the high bits of a byte.

    Each row begins with the number of its filter, 0 for none: filters do not help small numbers.
    """
    per_byte = 8 // bits
    height, width = pixels.shape
    padded = np.pad(pixels, ((0, 0), (0, -width % per_byte)))
    parts = padded.reshape(height, -1, per_byte)
    shifts = np.arange(per_byte - 1, -1, -1, dtype=np.uint8) * np.uint8(bits)
    packed = np.bitwise_or.reduce(parts << shifts, axis=2).astype(np.uint8)
    return np.pad(packed, ((0, 0), (1, 0))).tobytes()


def _frame(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
