"""Addresses such as ``s3://bucket/song.flac``, which travel as paths.

``Path`` makes one slash of two: ``s3:/bucket/song.flac``. So a path whose first part is a scheme is
an address, and all that is done with paths (parent, name, suffix) is done with it.
"""

import re
from collections.abc import Mapping
from pathlib import Path

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/(/?)", re.IGNORECASE)
"""How an address begins. A letter and a colon are a drive of Windows."""

LOCAL = ("file", "local")
"""Schemes whose addresses have no host, and so three slashes."""


def is_address(path: Path | str) -> bool:
    """Whether a path is an address."""
    return ADDRESS.match(_to_text(path)) is not None


def is_word_address(word: str) -> bool:
    """Whether a person has written an address: with two slashes."""
    found = ADDRESS.match(word)
    return found is not None and found[2] == "/"


def to_address(path: Path | str) -> str:
    """The address that a path is; other paths as they are."""
    text = str(path)
    found = ADDRESS.match(_to_text(path))
    if found is None:
        return text
    rest = _to_text(path)[found.end() :].lstrip("/")
    return f"{found[1]}://{'/' if found[1].lower() in LOCAL else ''}{rest}"


def stay_here(path: Path) -> Path:
    """A path of this machine, absolute if it would look like an address: ``live:/song.flac``."""
    return path.absolute() if is_address(path / "_") else path


def has_address(inputs: Mapping[str, Path], folder: Path) -> bool:
    """Whether any of these lies elsewhere."""
    return any(map(is_address, (*inputs.values(), folder)))


def _to_text(path: Path | str) -> str:
    return path.as_posix() if isinstance(path, Path) else str(path)
