"""The songs of ``msdm evaluate``, separated where need be, and scored one by one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import Hint, find_errno_hint, hinted
from msdm_cli.cli.system_errors import describe_failure
from msdm_cli.errors import (
    FAILURES,
    JobRunning,
    MissingStems,
    MsdmError,
    ResultsExist,
    UnwritableAudio,
    UnwritableResults,
)

if TYPE_CHECKING:
    from msdm_cli.jobs.evaluate import Evaluation, Separator
    from msdm_cli.jobs.executors import Executor
    from msdm_cli.jobs.request import JobRequest

HINTS: dict[type[MsdmError], Hint] = {
    MissingStems: "Separate the song first, or say --separate MODEL.",
    JobRunning: "Wait for it, or choose another folder for ESTIMATES.",
    ResultsExist: "Remove it, choose another folder for ESTIMATES, or leave out --separate to "
    "score it as it is.",
    UnwritableAudio: lambda error: find_errno_hint(error, "choose another folder for ESTIMATES"),
    UnwritableResults: lambda error: find_errno_hint(
        error, "choose another folder for ESTIMATES or --tables"
    ),
}


def score_songs(
    evaluation: "Evaluation", songs: Sequence[Path], display: Display, row: "Executor"
) -> bool:
    """Score songs; one that fails does not end the rest. Whether none did.

    Args:
        evaluation: Scores them.
        songs: Their folders.
        display: Shows progress.
        row: What separates songs that have no estimates, if they leave this process for that.
    """
    failed: set[str] = set()
    _tell_known(evaluation, songs, display)
    display.expect("song", {song.name: 1.0 for song in songs})
    with display:
        if not row.here and evaluation.separator is not None:
            failed = _separate_elsewhere(evaluation, evaluation.separator, songs, (row, display))
            evaluation.separator = None  # what was not separated there, is not here either
        left = [song for song in songs if song.name not in failed]
        scored = [_score(song, evaluation, display) for song in left]
    return all(scored) and not failed


def _tell_known(evaluation: "Evaluation", songs: Sequence[Path], display: Display) -> None:
    """Say so if songs have scores already: files that were changed since are not scored again."""
    known = sum(not evaluation.list_unscored(song) for song in songs)
    if known and evaluation.separator is None:
        tables = " and ".join(str(table.path) for table in evaluation.tables)
        display.say(
            f"scored before, and not again: {known} of {len(songs)} songs; for new scores, remove "
            f"{tables}"
        )


def _separate_elsewhere(
    evaluation: "Evaluation",
    separator: "Separator",
    songs: Sequence[Path],
    where: "tuple[Executor, Display]",
) -> set[str]:
    """Separate songs on other machines; the names of those that failed."""
    from msdm_cli.jobs.evaluate import SeparateStems

    row, display = where
    requests: dict[str, JobRequest] = {}
    failed = set()
    for song in songs:
        try:
            request = evaluation.prepare(song, separator)
        except FAILURES as error:
            _fail(song.name, error, display)
            failed.add(song.name)
            continue
        if request is not None:
            requests[song.name] = request
    for ended in row.run(requests, SeparateStems(evaluation.layout), 1, display.stop):
        if isinstance(ended.result, FAILURES):
            _fail(ended.name, ended.result, display)
            failed.add(ended.name)
        else:
            display.say(f"{ended.name}: separated on {ended.machine or 'another machine'}")
    return failed


def _fail(name: str, error: Exception, display: Display) -> None:
    """Show why a song has failed, and what helps here."""
    try:
        with hinted(HINTS):
            raise error
    except FAILURES as failure:
        display.fail(name, describe_failure(failure))


def _score(song: Path, evaluation: "Evaluation", display: Display) -> bool:
    """Score a song, and say whether it was."""
    piece = display.piece(song.name)
    try:
        evaluation.score(song, piece)
    except FAILURES as error:
        _fail(song.name, error, display)
        return False
    finally:
        piece.end()
    if unscored := evaluation.list_unscored(song):
        titles = ", ".join(unscored)
        display.say(f"{song.name}: has no {titles}, because no two of its stems sound at once")
    return True
