"""Text files with a song on each line."""

import os
import re
import select
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import IO

from msdm_cli.errors import UnreadableList

COMMENT = "#"
"""A line that begins with this is no song."""

LINE_END = re.compile(r"\r\n|\r|\n")
"""Other characters that end lines for Python may be in names."""

MOST_BYTES = 1 << 24
QUIET_SECONDS = 60.0
O_BINARY = getattr(os, "O_BINARY", 0)
REMEDY = "Give a text file with one song per line."


def read_list(name: str) -> list[str]:
    """The words of a list: files, folders, patterns and other lists. It may be a pipe.

    Raises:
        UnreadableList: It cannot be read, is no text, or is too long.
    """
    try:
        with _open(name) as file:
            content = file.read(MOST_BYTES + 1).removeprefix(BOM_UTF8)
        if len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES >> 20} MB")
        if b"\0" in content or content.startswith((BOM_UTF16_BE, BOM_UTF16_LE)):
            raise ValueError("it is no text in UTF-8")
        text = os.fsdecode(content)  # names may be no UTF-8, as those of files
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableList(f"{name}: cannot be read ({reason})", REMEDY) from error
    words = [line.strip(" \t") for line in LINE_END.split(text)]
    return [word for word in words if word and not word.startswith(COMMENT)]


def _open(name: str) -> IO[bytes]:
    """A file or a pipe. Nobody may ever write to a pipe: that is not waited for.

    Raises:
        OSError: It cannot be opened, or nothing comes.
    """
    descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | O_BINARY)
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        try:
            if not select.select([file], [], [], QUIET_SECONDS)[0]:
                raise TimeoutError(f"nothing comes through it in {QUIET_SECONDS:g} s")
            os.set_blocking(descriptor, True)
        except BaseException:
            file.close()
            raise
    return file
