"""What a batch is of: files, folders, patterns that no shell has expanded, and lists of these."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path

from msdm_cli.audio.files import FORMATS
from msdm_cli.errors import UnreadableAudio

SUFFIXES = frozenset(f".{ext}" for ext in (*FORMATS, "mp3"))
LIST = "@"
STANDARD = "-"


def expand_songs(arguments: Iterable[str]) -> list[Path]:
    """The songs that the words of a command line mean, each once, in order.

    Args:
        arguments: Files; folders, which mean all sound files in them at any depth; patterns such as ``*.wav``; and
            ``@list.txt``, a file with one of these per line.

    Raises:
        UnreadableAudio: A list cannot be read, or a folder or pattern means nothing.
    """
    songs: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if argument.startswith(LIST) and not path.exists():
            songs += expand_songs(_read_list(Path(argument[len(LIST) :])))
        elif path.is_dir():
            songs += _nonempty(sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES), argument)
        elif has_magic(argument) and not path.exists():
            # pathlib's takes no absolute patterns.
            songs += _nonempty(sorted(map(Path, glob(argument, recursive=True))), argument)  # noqa: PTH207
        else:
            songs.append(path)
    return list(dict.fromkeys(songs))


@contextlib.contextmanager
def spool_streams(songs: Iterable[Path]) -> Iterator[list[Path]]:
    """Songs that can be read twice: what comes through a pipe is kept in a file until the work is done.

    Args:
        songs: Files; ``-`` is the standard input, and becomes a song called ``stdin``.

    Raises:
        UnreadableAudio: A pipe cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="msdm-") as folder:
        yield [_spool(song, Path(folder) / str(number)) for number, song in enumerate(songs)]


def _spool(song: Path, folder: Path) -> Path:
    if str(song) != STANDARD and not song.is_fifo():
        return song
    folder.mkdir()
    kept = folder / ("stdin" if str(song) == STANDARD else song.name)
    try:
        with kept.open("wb") as target:
            if str(song) == STANDARD:
                shutil.copyfileobj(sys.stdin.buffer, target)
            else:
                with song.open("rb") as source:
                    shutil.copyfileobj(source, target)
    except OSError as error:
        raise UnreadableAudio(f"{song}: cannot be read ({error})", "Give a file.") from error
    return kept


def _nonempty(songs: list[Path], argument: str) -> list[Path]:
    if not songs:
        raise UnreadableAudio(f"{argument}: no songs", "Give wav, flac, ogg or mp3 files, or a folder that holds some.")
    return songs


def _read_list(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UnreadableAudio(f"{path}: cannot be read ({error})", "Give a text file with a song per line.") from error
    return [line.strip() for line in lines if line.strip()]
