"""What a batch is of: files, folders, patterns that no shell has expanded, and lists of these."""

import contextlib
import os
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


def expand_songs(arguments: Iterable[str], results: Path) -> list[Path]:
    """The songs that the words of a command line mean, each once, in order.

    Args:
        arguments: Files; folders, which mean all sound files in them at any depth; patterns such as ``*.wav``; and
            ``@list.txt``, a file with one of these per line.
        results: Folder of the results; what a folder or pattern finds in there is no song.

    Raises:
        UnreadableAudio: A list cannot be read, or a folder or pattern means nothing.
    """
    return list(dict.fromkeys(_expand(arguments, os.path.realpath(results), ())))


def _expand(arguments: Iterable[str], results: str, lists: tuple[str, ...]) -> Iterator[Path]:
    # os.path, unlike pathlib, takes a name that no file can have for one that is not there.
    for argument in arguments:
        if argument.startswith(LIST) and not os.path.exists(argument):  # noqa: PTH110
            name = argument[len(LIST) :]
            if os.path.realpath(name) in lists:
                raise UnreadableAudio(f"{name}: lists itself", "Give a text file with a song per line.")
            yield from _expand(_read_list(Path(name)), results, (*lists, os.path.realpath(name)))
        elif os.path.isdir(argument):  # noqa: PTH112
            yield from _nonempty(_search(Path(argument), results), argument)
        elif has_magic(argument) and not os.path.exists(argument):  # noqa: PTH110
            matches = sorted(glob(argument, recursive=True))  # noqa: PTH207  pathlib's takes no absolute patterns
            inside = [path for match in matches for path in _search(Path(match), results)]
            yield from _nonempty(inside, argument)
        else:
            yield Path(argument)


def _search(path: Path, results: str) -> list[Path]:
    """A file, or the sound files in a folder, but for hidden ones and results."""
    if not path.is_dir():
        return [path] if _is_outside(path, results) else []
    found = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    return sorted(file for file in found if file.is_file() and _is_outside(file, results))


def _is_outside(path: Path, results: str) -> bool:
    return not os.path.realpath(path).startswith(results + os.sep)


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
    if str(song) != STANDARD and not _is_pipe(song):
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


def _is_pipe(path: Path) -> bool:
    try:
        return path.is_fifo()
    except OSError:  # the reader will say why
        return False


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
