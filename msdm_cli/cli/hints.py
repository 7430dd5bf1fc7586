"""Hints of the command line: which option helps after an error of the library."""

import contextlib
import errno
import re
from collections.abc import Callable, Iterator, Mapping

from msdm_cli.errors import (
    BackendUnavailable,
    DeviceFull,
    JobRunning,
    MissingPreset,
    MissingStems,
    MissingWeights,
    MsdmError,
    NonFiniteSamples,
    ReplacesInput,
    ResultsExist,
    UnknownModel,
    UnreadableTable,
    UnsuitableAudio,
    UnwritableAudio,
    UnwritableResults,
)

OPTION = re.compile(r"(^|\s)(--?[a-z]|msdm (weights|doctor))")
"""A remedy that names an option or a command is a hint already: a command has written it."""

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
    cause: BaseException | None = error
    neutral = f"{elsewhere[0].upper()}{elsewhere[1:]}."
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return BY_ERRNO.get(cause.errno, neutral).format(elsewhere=elsewhere)
        cause = cause.__cause__
    return ROOM.format(elsewhere=elsewhere) if isinstance(error, MsdmError) else neutral


def _hint_device(error: MsdmError) -> str:
    return f"{error.remedy} See --device, --backend and --precision, and msdm doctor."


def _hint_part(error: MsdmError) -> str:
    if "no samples after" in error.message:
        return "Choose an earlier --start."
    if "is no length" in error.message:
        return "Ask for more with --duration."
    return error.remedy


def _hint_preset(error: MsdmError) -> str:
    if error.remedy.startswith("It has"):
        return f"{error.remedy} Choose one with --quality or --sampler."
    return "Choose another --model: msdm weights list."


def _hint_weights(error: MsdmError) -> str:
    from msdm_cli.models.registry import load_archives

    for archive in load_archives().values():
        for model in archive.models:
            if error.message.startswith(f"the model {model.name} "):
                return f"Fetch it: msdm weights pull {archive.name}"
    return error.remedy


def _hint_results(error: MsdmError) -> str:
    hint = find_errno_hint(error)
    return "Choose a shorter name: rename the song, or see --name." if hint == NAME else hint


def _hint_format(error: MsdmError) -> str:
    if error.remedy.startswith("It has"):
        return f"{error.remedy} Choose one with --subtype, or another --format."
    if "subtype" in error.remedy:
        return "Choose another --format or --subtype."
    return _hint_results(error)


def _hint_folder(error: MsdmError) -> str:
    if error.remedy.startswith("Rename"):
        return "Rename the song, or choose names of the results with --name."
    return _hint_results(error)


HINTS: dict[type[MsdmError], Hint] = {
    BackendUnavailable: _hint_device,
    DeviceFull: _hint_device,
    JobRunning: "Wait for it, or choose another folder with -o.",
    MissingPreset: _hint_preset,
    MissingStems: "Separate the song first, or add --separate MODEL.",
    MissingWeights: _hint_weights,
    NonFiniteSamples: "Try another --device or --precision. If it stays, report song and --seed.",
    ReplacesInput: "Choose another folder with -o.",
    ResultsExist: "Say --overwrite to replace it, or choose another folder with -o.",
    UnknownModel: lambda error: f"{error.remedy} msdm weights list shows them all.",
    UnreadableTable: "Remove the file, or name another folder with --tables.",
    UnsuitableAudio: _hint_part,
    UnwritableAudio: _hint_format,
    UnwritableResults: _hint_folder,
}
"""By the class of the error. A command that has other options uses ``hinted``."""


def find_hint(error: MsdmError) -> str:
    """What to do about an error, in terms of the command line."""
    given: str | None = vars(error).get(HINT)
    if given is not None:
        return given
    if OPTION.search(error.remedy):
        return error.remedy
    hint = HINTS.get(type(error), error.remedy)
    return hint if isinstance(hint, str) else hint(error)


@contextlib.contextmanager
def hinted(hints: Mapping[type[MsdmError], Hint]) -> Iterator[None]:
    """Give errors the hints of a command that has options of its own.

    Args:
        hints: By the class of the error.
    """
    try:
        yield
    except MsdmError as error:
        hint = hints.get(type(error))
        if hint is None:
            raise
        text = hint if isinstance(hint, str) else hint(error)
        replaced = type(error)(error.message, text)
        vars(replaced)[HINT] = text
        raise replaced from error
