"""The same Ogg file every time: libsndfile gives each stream a random number.

Source: RFC 3533, section 6. A page begins with ``OggS``. Bytes 14 to 17 are the serial number of
its stream. Bytes 22 to 25 are a CRC of the page with these four as zero. Byte 26 is the number of
segments, whose sizes follow.
"""

import zlib
from pathlib import Path

SERIAL, CHECKSUM, SEGMENTS, HEADER = 14, 22, 26, 27
CAPTURE = b"OggS"
MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def fix_serial(path: Path, serial: int = 0) -> None:
    """Give all pages of a file the same serial number, in place.

    Args:
        path: A file of one stream.
        serial: The number.

    Raises:
        ValueError: It is not an Ogg file.
        OSError: It cannot be read or written.
    """
    with path.open("r+b") as file:
        while head := file.read(HEADER):
            if len(head) < HEADER or not head.startswith(CAPTURE):
                raise ValueError(
                    f"expected a page of Ogg at byte {file.tell() - len(head)} of {path}"
                )
            sizes = file.read(head[SEGMENTS])
            page = bytearray(head + sizes + file.read(sum(sizes)))
            page[SERIAL : SERIAL + 4] = serial.to_bytes(4, "little")
            page[CHECKSUM : CHECKSUM + 4] = bytes(4)
            page[CHECKSUM : CHECKSUM + 4] = page_checksum(bytes(page)).to_bytes(4, "little")
            file.seek(-len(page), 1)
            file.write(page)


def page_checksum(page: bytes) -> int:
    """The CRC of a page: polynomial 0x04c11db7, high bits first, from 0, not inverted."""
    # zlib has the same polynomial, but least significant bit first, from all ones, and inverted at
    # the end. So the bits of each byte are mirrored, and both inversions are undone.
    mirrored = zlib.crc32(page.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
