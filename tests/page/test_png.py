import struct
import zlib

import numpy as np
import pytest

from msdm_cli.page.png import SIGNATURE, write_png

COLOURS = [(10 * i, 0, 255 - 10 * i, 17 * i) for i in range(16)]


def read_chunks(content):
    assert content.startswith(SIGNATURE)
    position = len(SIGNATURE)
    chunks = {}
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        kind = content[position + 4 : position + 8]
        chunks[kind] = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        assert checksum == zlib.crc32(kind + chunks[kind])
        position += length + 12
    return chunks


@pytest.mark.parametrize(("colours", "bits"), [(2, 1), (3, 2), (16, 4)])
@pytest.mark.parametrize("width", [1, 7, 64])
def test_pixels_come_back(colours, bits, width):
    pixels = np.random.default_rng(0).integers(0, colours, (5, width)).astype(np.uint8)
    chunks = read_chunks(write_png(pixels, COLOURS[:colours]))
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (width, 5, bits, 3, 0, 0, 0)
    assert chunks[b"PLTE"][3:6] == bytes((10, 0, 245))
    assert chunks[b"tRNS"][1] == 17
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(5, -1)
    assert not lines[:, 0].any()  # no filter
    unpacked = np.unpackbits(lines[:, 1:], axis=1).reshape(5, -1, bits)
    weights = 1 << np.arange(bits)[::-1]
    np.testing.assert_array_equal((unpacked @ weights)[:, :width], pixels)
