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
from msdm_cli.errors import UnreadableAudio, UnreadableManifest
from msdm_cli.jobs.manifest import SUFFIX, load_manifest

SUFFIXES = frozenset(f".{ext}" for ext in (*FORMATS, "mp3"))
LIST = "@"
STANDARD = "-"


def expand_songs(arguments: Iterable[str], results: Path) -> list[Path]:
    """The songs that the words of a command line mean, each once, in order.

    Args:
        arguments: Files; folders, which mean all sound files in them at any depth; patterns such as ``*.wav``; and
            ``@list.txt``, a file with one of these per line.
        results: Folder of the results; what a folder or pattern finds in there is no song. If it holds what is
            searched, only what a manifest there lists is none.

    Raises:
        UnreadableAudio: A list cannot be read, or a folder or pattern means nothing.
    """
    words = list(arguments)
    return _nonempty(
        list(dict.fromkeys(_expand(words, os.path.realpath(results), ()))), ", ".join(words)
    )


def _expand(arguments: Iterable[str], results: str, lists: tuple[str, ...]) -> Iterator[Path]:
    # os.path, unlike pathlib, takes a name that no file can have for one that is not there.
    for argument in arguments:
        if argument.startswith(LIST) and not os.path.exists(argument):  # noqa: PTH110
            name = argument[len(LIST) :]
            if os.path.realpath(name) in lists:
                raise UnreadableAudio(
                    f"{name}: lists itself", "Give a text file with a song per line."
                )
            yield from _expand(_read_list(Path(name)), results, (*lists, os.path.realpath(name)))
        elif os.path.isdir(argument):  # noqa: PTH112
            yield from _leave_out(
                _nonempty(_search(Path(argument)), argument), Path(argument), results
            )
        elif has_magic(argument) and not os.path.exists(argument):  # noqa: PTH110
            matches = sorted(glob(argument, recursive=True))  # noqa: PTH207  pathlib's takes no absolute patterns
            found = [path for match in matches for path in _search(Path(match))]
            yield from _leave_out(_nonempty(found, argument), _fixed_part(argument), results)
        else:
            yield Path(argument)


def _search(path: Path) -> list[Path]:
    """A file, or the sound files in a folder, but for hidden ones."""
    if not path.is_dir():
        return [path]
    found = (
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    )
    return sorted(file for file in found if file.is_file())


def _fixed_part(pattern: str) -> Path:
    """The folder that all matches of a pattern lie in."""
    path = Path(pattern)
    while has_magic(str(path)):
        path = path.parent
    return path


def _leave_out(found: list[Path], searched: Path, results: str) -> list[Path]:
    """What was found, without results."""
    if not _lies_in(searched, results):
        return [path for path in found if not _lies_in(path, results)]
    made = set()
    for path in searched.rglob(f"*.{SUFFIX}"):
        with contextlib.suppress(UnreadableManifest):
            made |= {
                _bare(path.parent / record.path) for record in load_manifest(path).files.values()
            }
    return [path for path in found if _bare(path) not in made]


def _bare(path: Path) -> str:
    """Where a file lies, in any format: stems of an earlier ``--format`` are no songs either."""
    return os.path.splitext(os.path.realpath(path))[0]  # noqa: PTH122  with_suffix refuses some names


def _lies_in(path: Path, folder: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder)


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
        raise UnreadableAudio(
            f"{argument}: no songs",
            "Give wav, flac, ogg or mp3 files, or a folder that holds some.",
        )
    return songs


def _read_list(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UnreadableAudio(
            f"{path}: cannot be read ({error})", "Give a text file with a song per line."
        ) from error
    return [line.strip() for line in lines if line.strip()]
