"""From the words of a command line to songs: files, folders, patterns, lists and streams."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path

from msdm_cli.audio.formats import describe_readable, readable_suffixes
from msdm_cli.cli.hints import find_errno_hint
from msdm_cli.cli.option_checks import STANDARD
from msdm_cli.cli.signals import temporary_folder
from msdm_cli.cli.song_lists import REMEDY, read_list
from msdm_cli.cli.song_search import leave_out_folder, leave_out_results, search
from msdm_cli.cli.spool import spool
from msdm_cli.cli.streams import is_input_closed
from msdm_cli.errors import NoSongs, UnreadableAudio, UnreadableList
from msdm_cli.jobs.output import MANIFEST, MANIFEST_SUFFIX
from msdm_cli.jobs.remote.addresses import (
    is_address,
    is_word_address,
    stay_here,
    to_address,
)
from msdm_cli.jobs.remote.listing import list_songs

LIST = "@"
"""A word that begins with this names a list of songs."""

STDIN = "stdin"
"""Name of the results of the standard input."""

STDIN_LINK = Path("/proc/self/fd/0")
"""On Linux, a link to the file that the standard input is."""

MOST_LISTS = 100


@dataclass(frozen=True)
class Song:
    """A song to separate.

    Attributes:
        name: What a person has called it.
        path: The file.
        track: Name of the song among the results.
    """

    name: str
    path: Path
    track: str


def expand_songs(words: Iterable[str], results: Path) -> list[Song]:
    """The songs that the words of a command line mean, each once, in order.

    Args:
        words: Files; folders, which mean all sound files in them at any depth; patterns such as
            ``*.wav``; addresses of all these (``s3://bucket/album/``); ``@list.txt``, a file with
            one of these per line; and ``-``, the standard input.
        results: Folder of the results. What a folder or a pattern finds in there is no song, unless
            the songs lie there too. What a manifest lists is no song, wherever it lies.

    Raises:
        NoSongs: A folder, a pattern or a list has none.
        InputError: An address cannot be listed.
        UnreadableList: A list cannot be read, or lists itself.
    """
    asked = list(words)
    try:
        found = list(dict.fromkeys(_expand(asked, os.path.realpath(results), {})))
    except RecursionError as error:
        raise NoSongs(
            f"{', '.join(asked)}: hundreds of folders lie in each other",
            "Name the songs, or a folder further inside.",
        ) from error
    return [_make_song(path) for path in _check_found(found, ", ".join(asked))]


def _make_song(path: Path) -> Song:
    if str(path) == STANDARD:
        return Song(STANDARD, _find_stdin() or path, STDIN)
    return Song(to_address(path), path, path.stem)


def _find_stdin() -> Path | None:
    """The file that the standard input is, if it is one and nothing of it was read yet."""
    try:
        path = STDIN_LINK.readlink()
        here = os.fstat(0)
        there = path.stat()
        offset = os.lseek(0, 0, os.SEEK_CUR)
    except OSError:  # another system, a pipe, or a file that was removed
        return None
    return path if path.is_file() and os.path.samestat(here, there) and offset == 0 else None


def _expand(words: Iterable[str], results: str, lists: dict[str, bool]) -> Iterator[Path]:
    """The paths that words mean.

    Args:
        words: As for ``expand_songs``.
        results: Real path of the results' folder.
        lists: Real paths of the lists that were read, and whether all of each was expanded.
    """
    # A name that no file can have is an error in pathlib; in os.path, it does not exist.
    for word in words:
        if is_word_address(word):
            yield from _list_address(word, results)
        elif word.startswith(LIST) and not os.path.exists(word):  # noqa: PTH110
            yield from _expand_list(word[len(LIST) :], results, lists)
        else:
            yield from map(stay_here, _find(word, results))


def _find(word: str, results: str) -> list[Path]:
    """The songs of this machine that a word means."""
    if not word:
        raise NoSongs("the name of a song is empty", "Name a file or a folder.")
    if os.path.isdir(word):  # noqa: PTH112
        found = _check_found(search(Path(word)), word)
        return leave_out_results(found, Path(word), results)
    if has_magic(word) and not os.path.exists(word):  # noqa: PTH110
        # pathlib's glob takes no absolute patterns.
        matches = sorted(glob(word, recursive=True))  # noqa: PTH207
        found = [path for match in matches for path in search(Path(match))]
        return leave_out_results(_check_found(found, word), _fixed_part(word), results)
    return [Path(word)]


def _list_address(word: str, results: str) -> list[Path]:
    """The songs at an address, of which results are none."""
    if not is_address(Path(word)):
        raise NoSongs(f"{word}: has no folder", "Write s3://bucket/folder.")
    suffixes = tuple(readable_suffixes())
    found = list_songs(Path(word), suffixes, f"{MANIFEST}.{MANIFEST_SUFFIX}")
    return leave_out_folder(_check_found(found, word), Path(word), results)


def _expand_list(name: str, results: str, lists: dict[str, bool]) -> Iterator[Path]:
    """The paths that the lines of a list mean. A list that was expanded before adds none."""
    real = os.path.realpath(name)
    if lists.get(real) is False:
        raise UnreadableList(f"{name}: lists itself", REMEDY)
    if real in lists:
        return
    if len(lists) >= MOST_LISTS:
        raise UnreadableList(f"{name}: is one of more than {MOST_LISTS} lists", REMEDY)
    lists[real] = False
    yield from _expand(read_list(name), results, lists)
    lists[real] = True


def _fixed_part(pattern: str) -> Path:
    """The folder that all matches of a pattern lie in."""
    path = Path(pattern)
    while has_magic(str(path)):
        path = path.parent
    return path


def _check_found(songs: list[Path], word: str) -> list[Path]:
    if not songs:
        raise NoSongs(f"{word}: no songs", f"{describe_readable()[:-1]}, or a folder of them.")
    return songs


@contextlib.contextmanager
def spool_pipes(songs: Iterable[Song]) -> Iterator[list[Song]]:
    """Songs that can be read twice. What comes through a pipe is kept in a file for as long.

    A job needs all of a song before its first chunk: its length decides the chunks, and its sha256
    decides whether results or a journal are those of this song.

    Args:
        songs: Songs; pipes and the standard input among them.

    Raises:
        UnreadableAudio: A pipe cannot be read, is no sound, or is too long to be kept.
    """
    with contextlib.ExitStack() as stack:
        yield [_spool(song, stack) if is_pipe(song.path) else song for song in songs]


def _spool(song: Song, stack: contextlib.ExitStack) -> Song:
    is_stdin = str(song.path) == STANDARD
    if is_stdin and is_input_closed():
        raise UnreadableAudio(
            "the standard input is closed", "Give a file, or send a song through a pipe."
        )
    folder = stack.enter_context(temporary_folder())
    kept = folder / (STDIN if is_stdin else song.path.name)
    try:
        if is_stdin:
            spool(sys.stdin.buffer, kept, "the standard input")
        else:
            with song.path.open("rb") as source:
                spool(source, kept, song.name)
    except OSError as error:
        raise UnreadableAudio(
            f"{song.name}: cannot be read, or kept in {folder} ({error})",
            find_errno_hint(error, "give a file"),
        ) from error
    return replace(song, path=kept)


def is_pipe(path: Path) -> bool:
    """Whether a path is the standard input, or a pipe with a name."""
    try:
        return str(path) == STANDARD or path.is_fifo()
    except (OSError, ValueError):  # whatever reads it will say why
        return False
