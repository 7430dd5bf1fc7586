"""A stream that is kept in a file, at a bounded cost: nobody knows whether it ends."""

import shutil
from pathlib import Path
from typing import IO

from msdm_cli.audio.formats import describe_readable
from msdm_cli.errors import UnreadableAudio

MOST_BYTES = 1 << 32
"""Six hours of 16-bit stereo at 44.1 kHz."""

FREE_SHARE = 0.9
"""No more of the free space is taken."""

PROBE_BYTES = 1 << 26
"""By then, a stream has said what it is."""

LATE_INDEX = (b"ftyp", b"mdat", b"wide", b"free", b"skip")
"""First names in an MP4 file, which may say at its end what it is."""

BLOCK_BYTES = 1 << 20


def spool(source: IO[bytes], kept: Path, name: str) -> None:
    """Copy a stream to a file.

    Args:
        source: The stream.
        kept: The file, which is made.
        name: What to call the stream in messages.

    Raises:
        UnreadableAudio: The stream is longer than ``MOST_BYTES``, takes too much of the free space,
            or is no sound.
        OSError: It cannot be read or kept.
    """
    room = int(FREE_SHARE * shutil.disk_usage(kept.parent).free)
    count = 0
    with kept.open("wb") as target:
        while block := source.read(BLOCK_BYTES):
            before = count
            count += len(block)
            if count > min(MOST_BYTES, room):
                raise _describe_excess(name, kept.parent, room)
            target.write(block)
            if before < PROBE_BYTES <= count:
                target.flush()
                _check_sound(kept, name)


def _describe_excess(name: str, folder: Path, room: int) -> UnreadableAudio:
    if room < MOST_BYTES:
        return UnreadableAudio(
            f"{name}: does not fit into {folder}, where {room / 1e9:.1f} GB may be used",
            "Make room there, or give a file.",
        )
    return UnreadableAudio(
        f"{name}: is longer than {MOST_BYTES / 1e9:.1f} GB, and may have no end", "Give a file."
    )


def _check_sound(kept: Path, name: str) -> None:
    """Refuse a stream that does not begin as a sound does.

    Raises:
        UnreadableAudio: It does not.
    """
    from msdm_cli.audio.decoders import decoding

    with kept.open("rb") as file:
        if file.read(8)[4:] in LATE_INDEX:
            return
    try:
        with decoding(kept):
            pass
    except UnreadableAudio as error:
        raise UnreadableAudio(
            f"{name}: is no sound, by its first {PROBE_BYTES / 1e6:.0f} MB", describe_readable()
        ) from error
