"""Paths as text in JSON, also those that are no Unicode.

On Unix a name is bytes. Python keeps bytes that are not UTF-8 as surrogates, which JSON cannot
hold. Such a path is written as ``file:`` and its bytes in percent-encoding (RFC 3986); every other
one as it is.
"""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

ENCODED = "file:"


def encode_path(path: Path | str) -> str:
    """A path as text that JSON can hold."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return ENCODED + quote_from_bytes(os.fsencode(text))
    # Text that looks encoded is encoded too, so that it comes back as it was.
    return ENCODED + quote_from_bytes(text.encode()) if text.startswith(ENCODED) else text


def decode_path(text: str) -> str:
    """The path that ``encode_path`` wrote."""
    if text.startswith(ENCODED):
        return os.fsdecode(unquote_to_bytes(text[len(ENCODED) :]))
    return text
