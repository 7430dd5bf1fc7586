"""The length that the header of a WAV file states.

Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0": a chunk is four
letters, a size in 32 bits, and as many bytes, padded to an even number.
"""

from msdm_cli.digest import ReadableFile

STREAMED_BYTES = 0x7FFF0000
"""A size of 0, or from here on, is what programs write that do not know the length yet."""

MOST_CHUNKS = 100


def read_stated_frames(file: ReadableFile) -> int | None:
    """The number of samples that a WAV file says it holds.

    Args:
        file: An open file. Its place is changed.

    Returns:
        None if it is no RIFF file, or if its size is what streams write.

    Raises:
        OSError: It cannot be read.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    frame_bytes = 0
    for _ in range(MOST_CHUNKS):
        chunk = file.read(8)
        size = int.from_bytes(chunk[4:], "little")
        if len(chunk) < 8:
            return None
        if chunk[:4] == b"data":
            streamed = size == 0 or size >= STREAMED_BYTES
            return None if streamed or not frame_bytes else size // frame_bytes
        if chunk[:4] == b"fmt ":
            body = file.read(16)
            frame_bytes = int.from_bytes(body[12:14], "little")
            size -= len(body)
        file.seek(size + size % 2, 1)
    return None
