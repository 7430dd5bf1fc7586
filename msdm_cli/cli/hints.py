"""Hints of the command line: which option helps after an error of the library."""

import contextlib
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


def _hint_device(error: MsdmError) -> str:
    return f"{error.remedy} See --device, --backend and --precision, and msdm doctor."


def _hint_part(error: MsdmError) -> str:
    if "no samples after" in error.message:
        return "Choose an earlier --start."
    if "is no length" in error.message:
        return "Ask for more with --seconds."
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


def _hint_format(error: MsdmError) -> str:
    if error.remedy.startswith("It has"):
        return f"{error.remedy} Choose one with --subtype, or another --format."
    if "subtype" in error.remedy:
        return "Choose another --format or --subtype."
    return "Make room on the disk, or choose another folder with -o."


def _hint_folder(error: MsdmError) -> str:
    if error.remedy.startswith("Rename"):
        return "Rename the song, or choose names of the results with --name."
    return "Make room on the disk, or choose another folder with -o."


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
    if OPTION.search(error.remedy):
        return error.remedy
    hint = HINTS.get(type(error), error.remedy)
    return hint if isinstance(hint, str) else hint(error)


@contextlib.contextmanager
def hinted(hints: Mapping[type[MsdmError], str]) -> Iterator[None]:
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
        raise type(error)(error.message, hint) from error
