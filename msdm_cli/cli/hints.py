"""Hints of the command line: which option helps after an error of the library."""

import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping

from msdm_cli.errors import (
    BackendUnavailable,
    DeviceFull,
    EmptyPart,
    JobRunning,
    MissingFormat,
    MissingPreset,
    MissingStems,
    MissingSubtype,
    MissingTask,
    MsdmError,
    NoLength,
    NonFiniteSamples,
    ReplacesInput,
    ResultsExist,
    SamePlace,
    StrayName,
    UnfetchedModel,
    UnknownModel,
    UnreadableTable,
    UnsuitableFormat,
    UnwritableAddress,
    UnwritableAudio,
    UnwritableResults,
)

Hint = str | Callable[[MsdmError], str]


HINT = "hint"
"""Attribute of an error that has been given a hint already."""

ELSEWHERE = "choose another folder with -o"

ROOM = "Make room on the disk, or {elsewhere}."
RIGHTS = "You may not write there: change its rights, or {elsewhere}."
NAME = "Choose a shorter name."
BY_ERRNO: dict[int, str] = {
    getattr(errno, name): hint
    for name, hint in {
        "ENOSPC": ROOM,
        "EDQUOT": ROOM,
        "EFBIG": ROOM,
        "EACCES": RIGHTS,
        "EPERM": RIGHTS,
        "EROFS": RIGHTS,
        "ENAMETOOLONG": NAME,
        "EMFILE": "Let more files be open (ulimit -n), or run fewer --jobs.",
        "ENFILE": "Close other programs, or run fewer --jobs.",
        "ENOMEM": "Close other programs, or run fewer --jobs.",
        "EIO": "The disk or its connection fails: {elsewhere}.",
    }.items()
    if hasattr(errno, name)  # not every system has all
}
"""What to do, by the number of an error of the operating system."""


def find_errno_hint(error: BaseException, elsewhere: str = ELSEWHERE) -> str:
    """What to do about an error that the operating system has caused.

    Args:
        error: The error; it, or one that it comes from, is an OSError.
        elsewhere: What else a person may do.
    """
    neutral = f"{elsewhere[0].upper()}{elsewhere[1:]}."
    number = _find_number(error)
    if number is not None:
        return BY_ERRNO.get(number, neutral).format(elsewhere=elsewhere)
    return ROOM.format(elsewhere=elsewhere) if isinstance(error, MsdmError) else neutral


def _find_number(error: BaseException) -> int | None:
    """The number of the OSError that an error is or comes from; None if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause.errno
        cause = cause.__cause__
    return None


def _hint_device(error: MsdmError) -> str:
    return f"{error.remedy} See --device, --backend and --precision, and msdm doctor."


def _hint_fetch(error: MsdmError) -> str:
    assert isinstance(error, UnfetchedModel)
    return f"Fetch it: msdm weights pull {error.archive}"


def _hint_writing(error: MsdmError) -> str:
    hint = find_errno_hint(error)
    return "Choose a shorter name: rename the song, or see --name." if hint == NAME else hint


def _hint_results(error: MsdmError) -> str:
    # An error about what is in the way, such as a link, has its own remedy.
    return error.remedy if _find_number(error) is None else _hint_writing(error)


HINTS: dict[type[MsdmError], Hint] = {
    BackendUnavailable: _hint_device,
    DeviceFull: _hint_device,
    JobRunning: "Wait for it, or choose another folder with -o.",
    EmptyPart: "Choose an earlier --start.",
    MissingPreset: lambda error: f"{error.remedy} Choose one with --quality or --sampler.",
    MissingStems: "Separate the song first, or add --separate MODEL.",
    MissingFormat: lambda error: error.remedy,
    MissingSubtype: lambda error: f"{error.remedy} Choose one with --subtype, or another --format.",
    MissingTask: "Choose another --model: msdm weights list.",
    NoLength: "Ask for more with --duration.",
    NonFiniteSamples: "Try another --device or --precision. If it stays, report song and --seed.",
    ReplacesInput: "Choose another folder with -o.",
    ResultsExist: "Say --overwrite to replace it, or choose another folder with -o.",
    UnknownModel: lambda error: f"{error.remedy} msdm weights list shows them all.",
    UnreadableTable: "Remove the file, or name another folder with --tables.",
    SamePlace: "Rename one, or separate them in two runs, each with its own -o.",
    StrayName: "Rename the song, or choose names of the results with --name.",
    UnfetchedModel: _hint_fetch,
    UnsuitableFormat: lambda error: f"{error.remedy} See --format and --subtype.",
    UnwritableAddress: lambda error: error.remedy,
    UnwritableAudio: _hint_writing,
    UnwritableResults: _hint_results,
}
"""By the class of the error, or of a class above it. A command that has other options uses
``hinted``."""


def find_hint(error: MsdmError) -> str:
    """What to do about an error, in terms of the command line."""
    given: str | None = vars(error).get(HINT)
    if given is not None:
        return given
    return _look_up(HINTS, error) or error.remedy


def _look_up(hints: Mapping[type[MsdmError], Hint], error: MsdmError) -> str | None:
    """The hint of the nearest class of an error that has one."""
    for kind in type(error).__mro__:
        hint = hints.get(kind)
        if hint is not None:
            return hint if isinstance(hint, str) else hint(error)
    return None


@contextlib.contextmanager
def hinted(hints: Mapping[type[MsdmError], Hint]) -> Iterator[None]:
    """Give errors the hints of a command that has options of its own.

    Args:
        hints: By the class of the error.
    """
    try:
        yield
    except MsdmError as error:
        text = _look_up(hints, error)
        if text is None:
            raise
        replaced = type(error)(error.message, text)
        vars(replaced)[HINT] = text
        raise replaced from error
