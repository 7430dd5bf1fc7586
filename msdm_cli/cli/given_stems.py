"""Given stems and targets, as a person names them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from msdm_cli.cli.hints import hinted
from msdm_cli.cli.model_options import check_stems
from msdm_cli.cli.option_checks import check_here
from msdm_cli.errors import MissingStems

if TYPE_CHECKING:
    from msdm_cli.jobs.stem_folder import StemFolder
    from msdm_cli.models.spec import ModelSpec

MOST_NAMES = 6
"""So many files are named in an error."""


def choose_files(opened: "StemFolder", stems: Sequence[str]) -> dict[str, Path]:
    """The files of a folder that are named after stems, by name.

    Those called as the stems are, ``drums.wav``. Without any, those that have the names of stems in
    the same place of their own, as ``song-drums.wav`` and ``song-bass.wav``.

    Raises:
        MissingStems: There are none, or it cannot be told which they are.
    """
    sets: dict[tuple[str, str], dict[str, Path]] = {}
    for stem in stems:
        for name, file in opened.stems.items():
            for around in _split_around(stem.casefold(), name.casefold()):
                sets.setdefault(around, {})[stem] = file
    if not sets:
        raise MissingStems(
            f"{opened.folder}: holds no {', '.join(stems)}",
            f"Name a folder with these stems: {stems[0]}.wav, or song-{stems[0]}.wav.",
        )
    files = {file for found in sets.values() for file in found.values()}
    exact = sets.get(("", ""))
    # The song may be called like a stem, too: bass song-drums.wav.
    whole = [exact] if exact else [found for found in sets.values() if {*found.values()} == files]
    if len(whole) != 1:
        names = ", ".join(sorted(file.name for file in files)[:MOST_NAMES])
        raise MissingStems(
            f"{opened.folder}: which files are the stems of one song? It holds {names}",
            f"Name a folder with these alone, called {stems[0]}.wav and the like.",
        )
    return whole[0]


def _split_around(stem: str, name: str) -> list[tuple[str, str]]:
    """What stands before and after a stem in a name that has it as a word."""
    from msdm_cli.audio.mix import WITHOUT

    words = re.finditer(rf"(?<![^\W_]){re.escape(stem)}(?![^\W_])", name)
    around = [(name[: word.start()], name[word.end() :]) for word in words]
    return [(before, after) for before, after in around if not before.endswith(WITHOUT)]


def choose_folder(given: Mapping[str, Path], targets: Sequence[str]) -> Path:
    """Where results go: beside the file of which a part is drawn anew, or the first given one."""
    anew = [given[name] for name in targets if name in given]
    return [*anew, *given.values()][0].with_suffix("")


def choose_targets(
    asked: Sequence[str], given: Mapping[str, Path], spec: "ModelSpec", *, in_part: bool = False
) -> tuple[str, ...]:
    """The stems to impute: what was asked for, else all that are not given.

    Raises:
        BadParameter: A target is no stem of the model, or all of a given stem is, or no stem is
            missing.
    """
    targets = check_stems(asked, spec, "--target")
    targets = targets or tuple(stem for stem in spec.stems if stem not in given)
    for name in targets:
        if name in given and not in_part:
            raise typer.BadParameter(
                f"{name} is both given and target: say which part with --from and --to",
                param_hint="--target",
            )
    if not targets:
        raise typer.BadParameter(
            "all stems are given: name the one to draw anew with --target",
            param_hint="--given",
        )
    return targets


def name_stems(
    given: Sequence[str], stems: Sequence[str], targets: Sequence[str] = ()
) -> dict[str, Path]:
    """Paths of given stems, by name.

    Args:
        given: ``stem=path``, or a path whose file name has the name of one stem as a word, or a
            folder of stems, or the ``msdm.json`` of results.
        stems: The stems of the model.
        targets: What a folder does not give, though it holds them.

    Raises:
        BadParameter: A stem is unknown, given twice, a pipe, or cannot be told from the file's
            name; or folders are given that hold targets alone.
        InputError: A path is an address.
        MissingStems: A folder holds no stem, or files of which it cannot be told whether they are.
        UnreadableManifest: A folder holds the results of several songs, or an ``msdm.json``
            cannot be read.
    """
    named: dict[str, Path] = {}
    for value in given:
        for stem, path in _list_given(value, stems, targets):
            if stem in named:
                raise typer.BadParameter(f"{stem} is given twice", param_hint="--given")
            named[stem] = path
    if not named:
        raise typer.BadParameter(
            f"nothing is given beside {', '.join(targets)}: give another stem, or say which part "
            "to draw anew with --from and --to",
            param_hint="--given",
        )
    return named


def _list_given(value: str, stems: Sequence[str], targets: Sequence[str]) -> list[tuple[str, Path]]:
    """The stems that one value gives, with their paths."""
    from msdm_cli.cli.songs import is_pipe
    from msdm_cli.jobs.output import MANIFEST_SUFFIX
    from msdm_cli.jobs.stem_folder import open_stem_folder

    if is_pipe(Path(value.rpartition("=")[2])):
        raise typer.BadParameter(
            f"{value} is a pipe, and a stem is read more than once: write it to a file first",
            param_hint="--given",
        )
    # A folder may hold the results of several songs: each one's msdm.json names its stems.
    if Path(value).is_dir() or Path(value).suffix == f".{MANIFEST_SUFFIX}":
        with hinted({MissingStems: lambda error: error.remedy}):
            found = choose_files(open_stem_folder(Path(value)), stems)
        return [(stem, path) for stem, path in found.items() if stem not in targets]
    stem, path = _split(value, stems)
    if not path:
        raise typer.BadParameter(f"{stem} has no path", param_hint="--given")
    check_here(path)
    return [(stem, Path(path))]


def _split(value: str, stems: Sequence[str]) -> tuple[str, str]:
    """The stem and the path of a value."""
    name, equals, path = value.partition("=")
    if equals and name in stems:
        return name, path
    if equals and not Path(value).exists():
        raise typer.BadParameter(f"{name} is none of {', '.join(stems)}", param_hint="--given")
    # As a word: guitars.wav is a guitar, and bassdrum.wav is no bass.
    name = Path(value).stem.casefold()
    found = [
        stem
        for stem in stems
        if any(_split_around(word, name) for word in (stem.casefold(), f"{stem.casefold()}s"))
    ]
    if len(found) != 1:
        raise typer.BadParameter(
            f"which stem is {value}? Write --given {stems[0]}={value}", param_hint="--given"
        )
    return found[0], value
