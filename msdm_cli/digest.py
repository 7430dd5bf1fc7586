"""The sha256 of a file."""

import hashlib
from pathlib import Path

BLOCK_BYTES = 1 << 20


def digest_file(path: Path) -> str:
    """The sha256 of a file, in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
